//! A model call around a stream: of chunks, or of the bytes of a body.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::answer::CompletionChunk;
use super::provider::ProviderChunk;
use super::sse::EventReader;
use super::{Ending, Generation, GenerationSummary, now};

/// A stream on its way through a model call.
#[derive(Debug)]
struct Inner<S> {
    generation: Generation,
    stream: Pin<Box<S>>,
    summary: Option<GenerationSummary>,
}

impl<S> Inner<S> {
    fn new(generation: Generation, stream: S) -> Self {
        Self { generation, stream: Box::pin(stream), summary: None }
    }

    fn ended(&mut self) {
        let generation = &mut self.generation;
        self.summary.get_or_insert_with(|| generation.end(Ending::StreamEnded));
    }
}

impl<S: Stream> Inner<S> {
    /// Polls the stream in the context of the call. The program asks for more, so it is done with the last token.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.generation.token_done();
        match &self.generation.recording {
            Some(recording) => recording.context().run(|| self.stream.as_mut().poll_next(cx)),
            None => self.stream.as_mut().poll_next(cx),
        }
    }
}

/// Chunks on their way through a model call. Made by [`Generation::wrap`]. Costs an allocation when it is made and none for a
/// chunk.
#[derive(Debug)]
#[must_use = "streams do nothing unless they are polled"]
pub struct GenerationStream<S> {
    inner: Inner<S>,
}

impl<S> GenerationStream<S> {
    pub(super) fn new(generation: Generation, stream: S) -> Self {
        Self { inner: Inner::new(generation, stream) }
    }

    /// The call, to say more of it.
    pub fn generation(&mut self) -> &mut Generation {
        &mut self.inner.generation
    }

    /// What the call was like, once the stream has ended.
    pub fn summary(&self) -> Option<&GenerationSummary> {
        self.inner.summary.as_ref()
    }

    /// The call without its stream, to ask again after an error: see [`Generation::retry`].
    pub fn into_generation(self) -> Generation {
        self.inner.generation
    }
}

impl<S> Stream for GenerationStream<S>
where
    S: Stream,
    S::Item: CompletionChunk,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let inner = &mut self.get_mut().inner;
        let next = ready!(inner.poll(cx));
        match &next {
            Some(chunk) => inner.generation.chunk(chunk),
            None => inner.ended(),
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.stream.size_hint()
    }
}

/// Bytes of an answer on their way through a model call. Made by [`Generation::wrap_sse`].
#[derive(Debug)]
#[must_use = "streams do nothing unless they are polled"]
pub struct GenerationByteStream<S> {
    inner: Inner<S>,
    events: EventReader,
}

impl<S> GenerationByteStream<S> {
    pub(super) fn new(generation: Generation, stream: S) -> Self {
        Self { inner: Inner::new(generation, stream), events: EventReader::new() }
    }

    /// The call, to say more of it.
    pub fn generation(&mut self) -> &mut Generation {
        &mut self.inner.generation
    }

    /// What the call was like, once the stream has ended.
    pub fn summary(&self) -> Option<&GenerationSummary> {
        self.inner.summary.as_ref()
    }
}

impl<S, B, E> Stream for GenerationByteStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
    E: Error + 'static,
{
    type Item = Result<B, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { inner, events } = self.get_mut();
        let next = ready!(inner.poll(cx));
        if let Some(recording) = &mut inner.generation.recording {
            // Events of the same bytes came together.
            let at = now();
            let mut read = |data: &[u8]| {
                if let Some(chunk) = ProviderChunk::parse(data) {
                    recording.chunk_at(&chunk, at);
                }
            };
            match &next {
                Some(Ok(bytes)) => events.read(bytes.as_ref(), read),
                Some(Err(error)) => inner.generation.fail(error),
                None => events.finish(&mut read),
            }
        }
        if next.is_none() {
            inner.ended();
        }
        Poll::Ready(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.stream.size_hint()
    }
}
