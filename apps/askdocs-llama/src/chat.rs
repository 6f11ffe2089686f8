//! A language model: several sequences in one context, decoded together.

use std::num::NonZeroU32;
use std::path::Path;

use askdocs_model::chat::{
    Batch, ChatModel, EngineError, Generated, Message, ModelInfo, SMOLLM2_SYSTEM, Sampling, Token, chat_ml,
};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;

/// Tokens of prompts that are read in one step while nobody waits for the next token of an answer …
const PROMPT_TOKENS_ALONE: usize = 512;
/// … and while somebody does: as many as take about 0.2 s, so that running answers go on.
const PROMPT_TOKENS_BESIDE: usize = 64;

/// A language model in the GGUF format that was trained with `ChatML` conversations.
pub struct LlamaChat {
    model: LlamaModel,
    info: ModelInfo,
}

impl LlamaChat {
    /// Loads a model. A context of more than it was trained with is cut to that.
    ///
    /// # Errors
    /// If the file is no model.
    pub fn load(path: &Path, id: &str, context_tokens: usize) -> Result<Self, EngineError> {
        let model = crate::load(path)?;
        let context_tokens = context_tokens.min(model.n_ctx_train() as usize);
        Ok(Self { info: ModelInfo { id: id.to_owned(), context_tokens }, model })
    }
}

impl ChatModel for LlamaChat {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.vocab().tokenize(text.as_bytes(), false, false).len()
    }

    fn prompt(&self, messages: &[Message]) -> Vec<Token> {
        let vocabulary = self.model.vocab();
        // What people write must not become a token that ends a message.
        let messages: Vec<Message> =
            messages.iter().map(|m| Message::new(m.role, m.content.replace("<|im_", "<|\u{200b}im_"))).collect();
        let prompt = chat_ml(&messages, SMOLLM2_SYSTEM);
        vocabulary.tokenize(prompt.as_bytes(), false, true).iter().map(|token| token.0 as Token).collect()
    }

    fn with_batch(&self, slots: usize, work: &mut dyn FnMut(&mut dyn Batch)) -> Result<(), EngineError> {
        let failed = |error: &dyn std::fmt::Display| EngineError(format!("llama.cpp: {error}"));
        let most = PROMPT_TOKENS_ALONE + slots;
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new((slots * self.info.context_tokens) as u32))
            .with_n_seq_max(slots as u32)
            .with_n_batch(most as u32)
            .with_n_ubatch(most as u32)
            .with_n_threads(crate::threads())
            .with_n_threads_batch(crate::threads());
        let context = self.model.new_context(crate::backend()?, params).map_err(|error| failed(&error))?;
        let mut batch = Sequences {
            model: &self.model,
            context,
            batch: LlamaBatch::new(most, 1),
            running: (0..slots).map(|_| None).collect(),
            arrived: 0,
        };
        work(&mut batch);
        Ok(())
    }
}

struct Sequences<'a> {
    model: &'a LlamaModel,
    context: LlamaContext<'a>,
    batch: LlamaBatch<'a>,
    running: Vec<Option<Sequence>>,
    /// Counts the prompts, which are read in the order in which they came.
    arrived: u64,
}

struct Sequence {
    arrived: u64,
    prompt: Vec<LlamaToken>,
    /// Tokens that the model has read.
    read: usize,
    /// The token that was chosen last and is to be read next.
    next: Option<LlamaToken>,
    sampler: LlamaSampler,
}

impl Sequences<'_> {
    fn add(&mut self, slot: usize, token: LlamaToken, at: usize, is_asked: bool) -> Result<i32, EngineError> {
        let place = self.batch.n_tokens();
        let added = self.batch.add(token, at as i32, &[slot as i32], is_asked);
        added.map_err(|error| EngineError(format!("llama.cpp: {error}"))).map(|()| place)
    }

    /// Takes the sequences whose next token is known, and parts of prompts, into the batch. Gives the slots that get a token,
    /// with the place of their output.
    fn fill(&mut self) -> Result<Vec<(usize, i32)>, EngineError> {
        self.batch.clear();
        let mut outputs = Vec::new();
        for slot in 0..self.running.len() {
            let Some(sequence) = &mut self.running[slot] else { continue };
            let Some(token) = sequence.next.take() else { continue };
            let at = sequence.read;
            sequence.read += 1;
            outputs.push((slot, self.add(slot, token, at, true)?));
        }
        let mut room = if outputs.is_empty() { PROMPT_TOKENS_ALONE } else { PROMPT_TOKENS_BESIDE };
        let mut unread: Vec<(u64, usize)> = Vec::new();
        for (slot, sequence) in self.running.iter().enumerate() {
            unread.extend(sequence.as_ref().filter(|s| s.read < s.prompt.len()).map(|s| (s.arrived, slot)));
        }
        unread.sort_unstable();
        for (_, slot) in unread {
            let Some(sequence) = &mut self.running[slot] else { continue };
            let (begin, length) = (sequence.read, sequence.prompt.len());
            let end = length.min(begin + room);
            sequence.read = end;
            room -= end - begin;
            let part = sequence.prompt[begin..end].to_vec();
            for (at, token) in (begin..).zip(part) {
                let is_last = at + 1 == length;
                let place = self.add(slot, token, at, is_last)?;
                if is_last {
                    outputs.push((slot, place));
                }
            }
            if room == 0 {
                break;
            }
        }
        Ok(outputs)
    }
}

impl Batch for Sequences<'_> {
    fn begin(&mut self, slot: usize, prompt: Vec<Token>, sampling: &Sampling) -> Result<(), EngineError> {
        if prompt.is_empty() {
            return Err(EngineError("the prompt is empty".to_owned()));
        }
        // Penalties see what the sampler accepts: tokens of the answer only.
        let penalties = LlamaSampler::penalties(self.model.n_vocab(), 256, sampling.repeat_penalty, 0.0, 0.0);
        let sampler = if sampling.temperature <= 0.0 {
            LlamaSampler::chain_simple([penalties, LlamaSampler::greedy()])
        } else {
            LlamaSampler::chain_simple([
                penalties,
                LlamaSampler::top_p(sampling.top_p, 1),
                LlamaSampler::temp(sampling.temperature),
                LlamaSampler::dist(sampling.seed),
            ])
        };
        self.arrived += 1;
        self.running[slot] = Some(Sequence {
            arrived: self.arrived,
            prompt: prompt.into_iter().map(|token| LlamaToken(token as i32)).collect(),
            read: 0,
            next: None,
            sampler,
        });
        Ok(())
    }

    fn step(&mut self, on_token: &mut dyn FnMut(usize, Generated)) -> Result<(), EngineError> {
        let outputs = self.fill()?;
        if self.batch.n_tokens() == 0 {
            return Ok(());
        }
        self.context.decode(&mut self.batch).map_err(|error| EngineError(format!("llama.cpp: {error}")))?;
        let vocabulary = self.model.vocab();
        for (slot, place) in outputs {
            let Some(sequence) = &mut self.running[slot] else { continue };
            let token = sequence.sampler.sample(&self.context, place);
            if vocabulary.is_eog(token) {
                on_token(slot, Generated::End);
            } else {
                sequence.next = Some(token);
                on_token(slot, Generated::Piece(vocabulary.token_to_piece(token, false, None)));
            }
        }
        Ok(())
    }

    fn end(&mut self, slot: usize) {
        self.running[slot] = None;
        // Cannot fail: slot numbers are small.
        drop(self.context.clear_kv_cache_seq(Some(slot as u32), None, None));
    }
}
