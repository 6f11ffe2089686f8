//! A model call around an iterator over its chunks.

use super::answer::CompletionChunk;
use super::{Ending, Generation, GenerationSummary};

/// Chunks on their way through a model call. Made by [`Generation::wrap_iter`].
#[derive(Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct GenerationIter<I> {
    generation: Generation,
    iter: I,
    summary: Option<GenerationSummary>,
}

impl<I> GenerationIter<I> {
    pub(super) fn new(generation: Generation, iter: I) -> Self {
        Self { generation, iter, summary: None }
    }

    /// The call, to say more of it.
    pub fn generation(&mut self) -> &mut Generation {
        &mut self.generation
    }

    /// What the call was like, once the iterator has ended.
    pub fn summary(&self) -> Option<&GenerationSummary> {
        self.summary.as_ref()
    }
}

impl<I> Iterator for GenerationIter<I>
where
    I: Iterator,
    I::Item: CompletionChunk,
{
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.generation.token_done();
        let context = self.generation.recording.as_ref().map(|recording| recording.context());
        let next = match context {
            Some(context) => context.run(|| self.iter.next()),
            None => self.iter.next(),
        };
        if let Some(chunk) = &next {
            self.generation.chunk(chunk);
        } else {
            let generation = &mut self.generation;
            self.summary.get_or_insert_with(|| generation.end(Ending::StreamEnded));
        }
        next
    }
}
