//! Intake against recorded requests of real agents, against what Elastic's server makes of them, and against hostile input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod differences;
mod golden;
mod hostile;
mod otel;
mod own;
mod properties;
mod shape;
mod stored;

use tokenfall_enrich::enrich;
use tokenfall_intake::{IntakeError, IntakeStream, StreamOptions};
use tokenfall_model::{Document, Timestamp};

/// Time of the request of Elastic's expected documents: 2024-01-01T00:00:00Z.
const RECEIVED: Timestamp = Timestamp::from_micros(1_704_067_200_000_000);

/// What a request came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    accepted: u64,
    errors: Vec<IntakeError>,
    n_errors: u64,
    documents: Vec<Document>,
}

impl Outcome {
    /// Status of the answer, as far as decoding decides.
    fn status(&self) -> u64 {
        if self.n_errors == 0 { 202 } else { 400 }
    }

    fn messages(&self) -> Vec<&str> {
        self.errors.iter().map(|error| error.message.as_str()).collect()
    }
}

fn options() -> StreamOptions {
    StreamOptions { received: RECEIVED, ..StreamOptions::default() }
}

/// Decodes and enriches a body that comes in one chunk.
fn intake(body: &[u8]) -> Outcome {
    intake_with(options(), &[body])
}

fn intake_with(options: StreamOptions, chunks: &[&[u8]]) -> Outcome {
    let mut stream = IntakeStream::new(options);
    let mut documents = Vec::new();
    for chunk in chunks {
        stream.feed(chunk, &mut documents);
    }
    stream.finish(&mut documents);
    documents.iter_mut().for_each(enrich);
    Outcome { accepted: stream.accepted(), errors: stream.errors().to_vec(), n_errors: stream.error_count(), documents }
}
