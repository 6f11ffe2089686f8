//! Counts tokens as the model does, where its tokenizer is known: OpenAI's. Others publish none, or one for each model.

use bpe_openai::Tokenizer;

/// Longest text that is counted, in bytes: it takes a few milliseconds.
const BYTES_MAX: usize = 256 * 1024;

/// Beginnings of names of models with the newer encoding (`o200k_base`), then with the older one (`cl100k_base`).
const NEWER: [&str; 8] = ["gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "o1", "o3", "o4"];
const OLDER: [&str; 5] = ["gpt-4", "gpt-3.5", "gpt-35", "text-embedding-3", "text-embedding-ada-002"];

/// Tokens of some texts for a model; `None` if its tokenizer is not known, or the texts are too long.
pub(crate) fn count(model: &str, texts: &[String]) -> Option<u64> {
    let tokenizer = of(model)?;
    if texts.iter().map(String::len).sum::<usize>() > BYTES_MAX {
        return None;
    }
    Some(texts.iter().map(|text| tokenizer.count(text) as u64).sum())
}

fn of(model: &str) -> Option<&'static Tokenizer> {
    let model = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let model = model.strip_prefix("ft:").unwrap_or(&model);
    let is = |beginnings: &[&str]| beginnings.iter().any(|beginning| model.starts_with(beginning));
    if is(&NEWER) {
        Some(bpe_openai::o200k_base())
    } else if is(&OLDER) {
        Some(bpe_openai::cl100k_base())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_counts() {
        let text = |text: &str| [text.to_owned()];
        // From OpenAI's tokenizer page.
        assert_eq!(count("gpt-4o-mini", &text("hello world")), Some(2));
        assert_eq!(count("gpt-35-turbo", &text("tiktoken is great!")), Some(6));
        assert_eq!(count("openai/gpt-4o", &text("")), Some(0));
        assert_eq!(count("claude-3-haiku", &text("hello world")), None);
        assert_eq!(count("gpt-4o", &text(&"a ".repeat(BYTES_MAX))), None, "too long");
    }
}
