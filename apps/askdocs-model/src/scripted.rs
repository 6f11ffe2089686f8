//! A model that says what it was told to, at a speed that it was told: for tests, and for trying things out without weights.

use std::time::Duration;

use crate::chat::{Batch, ChatModel, EngineError, Generated, Message, ModelInfo, Sampling, Token, chat_ml};
use crate::embedding::{EmbeddingModel, normalize};

/// Says the same answer to every question. A token is a word with the space before it.
pub struct ScriptedModel {
    info: ModelInfo,
    answer: Vec<String>,
    step_time: Duration,
}

impl ScriptedModel {
    /// A model with this answer, that takes no time.
    pub fn new(answer: &str) -> Self {
        let info = ModelInfo { id: "scripted".to_owned(), context_tokens: 4_096 };
        Self { info, answer: words(answer).map(str::to_owned).collect(), step_time: Duration::ZERO }
    }

    /// Each step takes this long, for however many sequences.
    #[must_use]
    pub fn step_time(mut self, step_time: Duration) -> Self {
        self.step_time = step_time;
        self
    }

    /// Most tokens of question and answer together.
    #[must_use]
    pub fn context(mut self, tokens: usize) -> Self {
        self.info.context_tokens = tokens;
        self
    }
}

/// Cuts before each run of spaces.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.len() - rest.trim_start().len();
        let end = rest[begin..].find(char::is_whitespace).map_or(rest.len(), |at| begin + at);
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

impl ChatModel for ScriptedModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, text: &str) -> usize {
        words(text).count()
    }

    fn prompt(&self, messages: &[Message]) -> Vec<Token> {
        vec![0; words(&chat_ml(messages, "")).count()]
    }

    fn with_batch(&self, slots: usize, work: &mut dyn FnMut(&mut dyn Batch)) -> Result<(), EngineError> {
        work(&mut ScriptedBatch { model: self, said: vec![None; slots] });
        Ok(())
    }
}

struct ScriptedBatch<'a> {
    model: &'a ScriptedModel,
    /// How many words each sequence has said.
    said: Vec<Option<usize>>,
}

impl Batch for ScriptedBatch<'_> {
    fn begin(&mut self, slot: usize, _prompt: Vec<Token>, _sampling: &Sampling) -> Result<(), EngineError> {
        self.said[slot] = Some(0);
        Ok(())
    }

    fn step(&mut self, on_token: &mut dyn FnMut(usize, Generated)) -> Result<(), EngineError> {
        std::thread::sleep(self.model.step_time);
        for (slot, said) in self.said.iter_mut().enumerate() {
            let Some(said) = said else { continue };
            let word = self.model.answer.get(*said);
            on_token(slot, word.map_or(Generated::End, |word| Generated::Piece(word.clone().into_bytes())));
            *said += 1;
        }
        Ok(())
    }

    fn end(&mut self, slot: usize) {
        self.said[slot] = None;
    }
}

/// Vectors of words: texts are alike that have words in common. Each word counts for one dimension, by its hash.
pub struct ScriptedEmbedding;

impl ScriptedEmbedding {
    const DIMENSIONS: usize = 64;
}

impl EmbeddingModel for ScriptedEmbedding {
    fn id(&self) -> &'static str {
        "scripted-embedding"
    }

    fn dimensions(&self) -> usize {
        Self::DIMENSIONS
    }

    fn count_tokens(&self, text: &str) -> usize {
        words(text).count()
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        let vector = |text: &&str| {
            let mut vector = vec![0.0; Self::DIMENSIONS];
            for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                let hash = word
                    .bytes()
                    .fold(5_381_usize, |hash, byte| hash.wrapping_mul(33) ^ usize::from(byte.to_ascii_lowercase()));
                vector[hash % Self::DIMENSIONS] += 1.0;
            }
            normalize(&mut vector);
            vector
        };
        Ok(texts.iter().map(vector).collect())
    }
}
