//! The body of an answer: a transaction or a span lasts as long as it does.

use std::pin::Pin;
use std::task::{self, Poll};

use bytes::Buf as _;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::{Call, End, within};

pin_project! {
    /// Body of an answer. The transaction or the span ends when it has been read to its end, when it fails, or when it is
    /// dropped; until then it is the current one while the body is polled.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
        // Bytes to come, if that is known: whoever has them all need not ask for the end.
        missing_bytes: Option<u64>,
    }
}

impl<B: Body> TracedBody<B> {
    pub(super) fn wrap(response: http::Response<B>, mut call: Option<Call>) -> http::Response<Self> {
        let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        response.map(|inner| {
            let missing_bytes = length.or_else(|| inner.size_hint().exact());
            if let Some(running) = &mut call
                && (running.has_no_body() || inner.is_end_stream())
            {
                running.end(End::Complete);
                call = None;
            }
            Self { inner, call, missing_bytes }
        })
    }
}

impl<B: Body> Body for TracedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let polled = {
            let inner = this.inner.as_mut();
            within(this.call, || inner.poll_frame(cx))
        };
        let Some(call) = this.call.as_mut() else { return polled };
        let end = match &polled {
            Poll::Pending => None,
            Poll::Ready(None) => Some(End::Complete),
            Poll::Ready(Some(Err(_))) => Some(End::Failed),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    call.read_grpc_status(trailers);
                }
                if let (Some(data), Some(missing)) = (frame.data_ref(), this.missing_bytes.as_mut()) {
                    *missing = missing.saturating_sub(data.remaining() as u64);
                }
                let has_all = call.ends_with_its_length() && *this.missing_bytes == Some(0);
                (frame.is_trailers() || has_all || this.inner.is_end_stream()).then_some(End::Complete)
            }
        };
        if let Some(end) = end {
            call.end(end);
            *this.call = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
