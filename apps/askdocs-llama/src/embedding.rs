//! An embedding model. A thread of its own owns the context; texts come to it through a channel.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use askdocs_model::chat::EngineError;
use askdocs_model::embedding::{EmbeddingModel, normalize};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{LlamaContextParams, LlamaPoolingType};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

/// Longest text, in tokens, as the sentence transformers' configuration of MiniLM says.
const MAX_TOKENS: usize = 256;
/// Most tokens of several texts that are read together. Attention is computed across all of them, so more is slower.
const MAX_BATCH_TOKENS: usize = 256;
/// Most texts that are read together.
const MAX_BATCH_TEXTS: usize = 16;

type Vectors = Result<Vec<Vec<f32>>, EngineError>;

struct Request {
    texts: Vec<Vec<LlamaToken>>,
    answer: SyncSender<Vectors>,
}

/// A BERT-like embedding model in the GGUF format.
pub struct LlamaEmbedding {
    id: String,
    model: Arc<LlamaModel>,
    requests: SyncSender<Request>,
}

impl LlamaEmbedding {
    /// Loads a model and starts its thread, which ends with this.
    ///
    /// # Errors
    /// If the file is no model.
    pub fn load(path: &Path, id: &str) -> Result<Self, EngineError> {
        let model = Arc::new(crate::load(path)?);
        let (requests, incoming) = sync_channel(4);
        let (ready, started) = sync_channel(1);
        let served = Arc::clone(&model);
        let thread = std::thread::Builder::new().name("embedding".to_owned());
        let spawned = thread.spawn(move || match context(&served) {
            Ok(mut context) => {
                drop(ready.send(Ok(())));
                serve(&mut context, &incoming);
            }
            Err(error) => drop(ready.send(Err(error))),
        });
        spawned.map_err(|error| EngineError(error.to_string()))?;
        started.recv().map_err(|_| stopped())??;
        Ok(Self { id: id.to_owned(), model, requests })
    }
}

fn stopped() -> EngineError {
    EngineError("the embedding model has stopped".to_owned())
}

impl EmbeddingModel for LlamaEmbedding {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.model.n_embd() as usize
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.vocab().tokenize(text.as_bytes(), true, false).len()
    }

    fn embed(&self, texts: &[&str]) -> Vectors {
        let vocabulary = self.model.vocab();
        let tokens = |text: &&str| {
            let mut tokens = vocabulary.tokenize(text.as_bytes(), true, false);
            if tokens.len() > MAX_TOKENS {
                tokens.truncate(MAX_TOKENS - 1);
                tokens.push(vocabulary.sep());
            }
            tokens
        };
        let (answer, answered) = sync_channel(1);
        let request = Request { texts: texts.iter().map(tokens).collect(), answer };
        self.requests.send(request).map_err(|_| stopped())?;
        answered.recv().map_err(|_| stopped())?
    }
}

fn context(model: &LlamaModel) -> Result<LlamaContext<'_>, EngineError> {
    let most = MAX_BATCH_TOKENS.max(MAX_TOKENS) as u32;
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(most * MAX_BATCH_TEXTS as u32))
        .with_n_batch(most)
        // An encoder reads what it is given in one go.
        .with_n_ubatch(most)
        .with_n_seq_max(MAX_BATCH_TEXTS as u32)
        .with_embeddings(true)
        .with_pooling_type(LlamaPoolingType::Mean)
        .with_n_threads(crate::threads())
        .with_n_threads_batch(crate::threads());
    model.new_context(crate::backend()?, params).map_err(|error| EngineError(format!("llama.cpp: {error}")))
}

fn serve(context: &mut LlamaContext<'_>, incoming: &Receiver<Request>) {
    let mut batch = LlamaBatch::new(MAX_BATCH_TOKENS.max(MAX_TOKENS), 1);
    while let Ok(Request { texts, answer }) = incoming.recv() {
        // Whoever asked may have gone.
        drop(answer.send(embed(context, &mut batch, &texts)));
    }
}

/// Texts of about the same length are read together: the order of lengths, then back.
fn embed(context: &mut LlamaContext<'_>, batch: &mut LlamaBatch<'_>, texts: &[Vec<LlamaToken>]) -> Vectors {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&at| texts[at].len());
    let mut vectors = vec![Vec::new(); texts.len()];
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let mut tokens = 0;
        let together = rest
            .iter()
            .take(MAX_BATCH_TEXTS)
            .take_while(|&&at| {
                tokens += texts[at].len();
                tokens <= MAX_BATCH_TOKENS
            })
            .count()
            .max(1);
        let (now, later) = rest.split_at(together);
        rest = later;
        read(context, batch, now.iter().map(|&at| texts[at].as_slice()))?;
        for (sequence, &at) in now.iter().enumerate() {
            let vector = context.embeddings_seq_ith(sequence as i32);
            let mut vector = vector.map_err(|error| EngineError(format!("llama.cpp: {error}")))?.to_vec();
            normalize(&mut vector);
            vectors[at] = vector;
        }
    }
    Ok(vectors)
}

fn read<'t>(
    context: &mut LlamaContext<'_>,
    batch: &mut LlamaBatch<'_>,
    texts: impl Iterator<Item = &'t [LlamaToken]>,
) -> Result<(), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError(format!("llama.cpp: {error}"));
    batch.clear();
    context.clear_kv_cache();
    for (sequence, text) in texts.enumerate() {
        batch.add_sequence(text, sequence as i32, true).map_err(|error| failed(&error))?;
    }
    context.encode(batch).map_err(|error| failed(&error))
}
