//! Fixtures and helpers for tests. Never a normal dependency.

pub mod http;

use std::path::{Path, PathBuf};

use tokenfall_model::document::{GenAi, GenAiRequest, GenAiUsage, Name};

/// Root of the repository.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// What a call of an OpenAI model says of itself: model, and tokens of question and answer if they are known.
pub fn gen_ai(model: &str, tokens: Option<(u64, u64)>) -> GenAi {
    let usage = |(input, output)| GenAiUsage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        ..GenAiUsage::default()
    };
    GenAi {
        provider: Some(Name { name: "openai".into() }),
        request: Some(GenAiRequest { model: Some(model.into()), ..GenAiRequest::default() }),
        usage: tokens.map(usage),
        ..GenAi::default()
    }
}

/// Elastic's own test data, which is not part of the repository: the folder named by `TOKENFALL_FIXTURES`, else
/// `../shared/fixtures` beside the repository.
///
/// `None` where it is absent; the test then prints that it was skipped and returns. In CI (`CI=true`) absence is a failure.
///
/// # Panics
/// In CI, when the folder is absent.
pub fn elastic_fixtures(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TOKENFALL_FIXTURES")
        .map_or_else(|| repository_root().join("../shared/fixtures"), PathBuf::from);
    if folder.join("intake-v2").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "Elastic's fixtures are not at {}; set TOKENFALL_FIXTURES",
        folder.display()
    );
    report_skipped(test, "Elastic's fixtures are absent (set TOKENFALL_FIXTURES)");
    None
}

/// Says that a test did not run. `make test` counts these lines.
#[expect(clippy::print_stderr, reason = "the line is what the test runner counts")]
pub fn report_skipped(test: &str, why: &str) {
    use std::io::Write as _;
    eprintln!("skipped: {test}: {why}");
    if let Some(path) = std::env::var_os("TOKENFALL_SKIPPED_LOG")
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        // The count is a courtesy; a test must not fail because it could not be written.
        drop(writeln!(file, "{test}: {why}"));
    }
}
