//! The question that a model is asked about a passage, cut so that it fits.

use askdocs_model::chat::{Message, Role};
use serde::{Deserialize, Serialize};

use crate::corpus::sentences;
use crate::passage::Passage;
use crate::tokens::TokenCounter;

/// The article's system message.
pub const SYSTEM: &str = "You are a helpful assistant.";

/// How much a model reads and writes, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most tokens of the answer.
    pub max_tokens: usize,
    /// Most tokens of question and answer.
    pub max_context_tokens: usize,
    /// Tokens that are left free, because counts can be wrong and messages have frames.
    pub safety_margin: usize,
}

impl Default for Limits {
    /// The article's.
    fn default() -> Self {
        Self { max_tokens: 1_024, max_context_tokens: 4_000, safety_margin: 1_000 }
    }
}

impl Limits {
    /// Most tokens of the question.
    pub const fn question(&self) -> usize {
        self.max_context_tokens.saturating_sub(self.max_tokens).saturating_sub(self.safety_margin)
    }
}

/// The messages for a question about a passage. The passage is cut at the end of a sentence if all of it is too long.
pub fn messages(question: &str, passage: &Passage, limits: &Limits, counter: &TokenCounter) -> Vec<Message> {
    let with = |text: &str| {
        let heading = heading(passage);
        format!(
            "Answer the question in a few plain sentences, using only this part of the documentation. If it does not \
             hold the answer, say that you cannot answer.\n\n{heading}\n{text}\n\nQuestion: {question}"
        )
    };
    let fits = |text: &str| counter.count(SYSTEM) + counter.count(&with(text)) <= limits.question();
    let text = if fits(&passage.text) { passage.text.clone() } else { cut(&passage.text, fits) };
    vec![Message::new(Role::System, SYSTEM), Message::new(Role::User, with(&text))]
}

fn heading(passage: &Passage) -> String {
    let Passage { title, section, .. } = passage;
    if section.is_empty() { title.clone() } else { format!("{title} › {section}") }
}

/// The longest beginning of a text that ends with a sentence or a line and fits.
fn cut(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let ends: Vec<usize> = text
        .lines()
        .flat_map(|line| sentences(line))
        .map(|sentence| sentence.as_ptr().addr() - text.as_ptr().addr() + sentence.len())
        .collect();
    // More sentences never have fewer tokens, so the boundary can be searched for in halves.
    let kept = ends.partition_point(|&end| fits(&text[..end]));
    kept.checked_sub(1).map_or_else(String::new, |last| text[..ends[last]].to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage { title: "VACUUM".to_owned(), text: text.to_owned(), ..Passage::default() }
    }

    #[test]
    fn what_fits_is_whole() {
        let messages = messages("What is it?", &passage("It cleans."), &Limits::default(), &TokenCounter::Approximate);
        assert_eq!(messages[0], Message::new(Role::System, "You are a helpful assistant."));
        assert!(
            messages[1].content.ends_with("VACUUM\nIt cleans.\n\nQuestion: What is it?"),
            "{}",
            messages[1].content
        );
        assert_eq!(Limits::default().question(), 1_976);
    }

    #[test]
    fn what_does_not_fit_ends_with_a_sentence() {
        let text = "First sentence of it. Second sentence of it. ".repeat(500);
        let limits = Limits { max_tokens: 100, max_context_tokens: 400, safety_margin: 100 };
        let counter = TokenCounter::for_model("gpt-4o");
        let messages = messages("What is it?", &passage(text.trim_end()), &limits, &counter);
        let tokens: usize = messages.iter().map(|message| counter.count(&message.content)).sum();
        assert!((180..=200).contains(&tokens), "{tokens}");
        assert!(messages[1].content.contains("sentence of it.\n\nQuestion:"), "{}", messages[1].content);
    }

    proptest! {
        #[test]
        fn it_always_fits_if_the_question_does(text in "([A-Z][a-z]{0,9}[.,]?[ \n]){0,300}", room in 60_usize..300) {
            let limits = Limits { max_tokens: 10, max_context_tokens: room + 20, safety_margin: 10 };
            let counter = TokenCounter::Approximate;
            let messages = messages("Why?", &passage(&text), &limits, &counter);
            let tokens: usize = messages.iter().map(|message| counter.count(&message.content)).sum();
            prop_assert!(tokens <= room.max(70), "{} of {}", tokens, room);
        }
    }
}
