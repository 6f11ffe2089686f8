//! The same operations with `tracing`, `tracing-opentelemetry` and the batch processor of `opentelemetry_sdk`. Its exporter
//! throws everything away, as the agent does under `disable_send`.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing::{Dispatch, Span, field, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::Operation;

/// Takes spans and drops them.
#[derive(Debug)]
struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// A subscriber of each kind.
#[derive(Debug)]
pub struct Subscribers {
    unsampled: (Dispatch, SdkTracerProvider),
    sampled: (Dispatch, SdkTracerProvider),
}

impl Subscribers {
    /// Starts them.
    pub fn start() -> Self {
        Self { unsampled: subscriber(Sampler::AlwaysOff), sampled: subscriber(Sampler::AlwaysOn) }
    }
}

fn subscriber(sampler: Sampler) -> (Dispatch, SdkTracerProvider) {
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_batch_exporter(Discard).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("overhead"));
    (Dispatch::new(tracing_subscriber::registry().with(layer)), provider)
}

/// The operation of this name ([`OPERATIONS`](crate::OPERATIONS)).
pub fn operation(name: &str, subscribers: &Subscribers) -> Option<Box<dyn Operation>> {
    let disabled = (Dispatch::none(), None);
    let of = |(dispatch, provider): &(Dispatch, SdkTracerProvider)| (dispatch.clone(), Some(provider.clone()));
    let ((dispatch, provider), run): ((Dispatch, Option<SdkTracerProvider>), fn(&Span, u32)) = match name {
        "disabled span" => (disabled, spans),
        "disabled transaction" => (disabled, transactions),
        "unsampled span" => (of(&subscribers.unsampled), spans),
        "unsampled transaction" => (of(&subscribers.unsampled), transactions),
        "token" => (of(&subscribers.sampled), tokens),
        "span" => (of(&subscribers.sampled), spans),
        "span with 3 labels" => (of(&subscribers.sampled), labelled_spans),
        "label" => (of(&subscribers.sampled), labels),
        "transaction" => (of(&subscribers.sampled), transactions),
        _ => return None,
    };
    let parent = begin(&dispatch);
    Some(Box::new(Subject { dispatch, provider, parent, run }))
}

struct Subject {
    dispatch: Dispatch,
    provider: Option<SdkTracerProvider>,
    parent: Span,
    run: fn(&Span, u32),
}

fn begin(dispatch: &Dispatch) -> Span {
    tracing::dispatcher::with_default(
        dispatch,
        || info_span!(parent: None, "openaiChatCompletion", otel.kind = "client", chunks = field::Empty),
    )
}

impl Operation for Subject {
    fn run(&mut self, n: u32) {
        tracing::dispatcher::with_default(&self.dispatch, || (self.run)(&self.parent, n));
    }

    fn settle(&mut self) {
        self.parent = begin(&self.dispatch);
        if let Some(provider) = &self.provider {
            // It fails only after a shutdown, and there is none.
            drop(provider.force_flush());
        }
    }
}

fn tokens(parent: &Span, n: u32) {
    for _ in 0..n {
        drop(info_span!(parent: parent, "token", otel.kind = "client"));
    }
}

fn spans(parent: &Span, n: u32) {
    for _ in 0..n {
        drop(info_span!(parent: parent, "step"));
    }
}

fn labelled_spans(parent: &Span, n: u32) {
    for index in 0..n {
        let span =
            info_span!(parent: parent, "step", index = field::Empty, model = field::Empty, stream = field::Empty);
        span.record("index", index);
        span.record("model", "gpt-4o-mini");
        span.record("stream", true);
    }
}

fn labels(parent: &Span, n: u32) {
    for index in 0..n {
        parent.record("chunks", index);
    }
}

fn transactions(_: &Span, n: u32) {
    for _ in 0..n {
        drop(info_span!(parent: None, "user-query", otel.kind = "server"));
    }
}
