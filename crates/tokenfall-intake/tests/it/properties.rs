//! Whatever the chunks and whatever the bytes.

use std::fs;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tokenfall_testkit::repository_root;

use crate::{intake, intake_with, options};

/// Bodies to cut and to break: every kind of event, and lines that are refused.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = repository_root().join("tests/fixtures");
    [
        "intake/own/spans_mixed.ndjson",
        "intake/own/errors_mixed.ndjson",
        "intake/captured/python-6.26.2-llm-tokens.req1.ndjson",
        "captured/elastic-apm-python-openai027-unhandled/003.ndjson",
    ]
    .map(|file| fs::read(folder.join(file)).unwrap())
    .to_vec()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_make_no_difference(body in any::<Index>(), cuts in vec(any::<Index>(), 0..40)) {
        let body = body.get(&BODIES);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut rest = &body[..];
        for cut in cuts.iter().rev() {
            let (head, tail) = rest.split_at(*cut);
            chunks.insert(0, tail);
            rest = head;
        }
        chunks.insert(0, rest);
        prop_assert_eq!(intake_with(options(), &chunks), intake(body));
    }

    #[test]
    fn any_bytes_are_survived(body in vec(any::<u8>(), 0..4000)) {
        let outcome = intake(&body);
        prop_assert!(outcome.accepted as usize == outcome.documents.len());
    }

    /// Broken requests never take more lines than there are, and every line is either good, refused or a dropped breakdown.
    #[test]
    fn broken_requests_are_survived(
        body in any::<Index>(),
        edits in vec((any::<Index>(), prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b'\n'), Just(b','), Just(b'-'), any::<u8>()]), 1..30),
    ) {
        let mut body = body.get(&BODIES).clone();
        let first = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for (at, byte) in edits {
            let at = first + at.index(body.len() - first);
            body[at] = byte;
        }
        let outcome = intake(&body);
        let n_lines = body[first..].split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(outcome.accepted as usize, outcome.documents.len());
        prop_assert!(outcome.accepted + outcome.n_errors <= n_lines as u64);
        for error in &outcome.errors {
            prop_assert!(error.line >= 2 && !error.message.is_empty());
        }
        for document in &outcome.documents {
            let mut json = Vec::new();
            document.to_json(&mut json);
            let read = tokenfall_model::Document::from_json(&json);
            prop_assert!(read.is_ok(), "{:?}", read);
        }
    }
}
