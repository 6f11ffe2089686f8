//! Labels with a meaning. An application that was instrumented by hand puts tokens, cost and question into labels of its own.

use std::fmt;
use std::str::FromStr;

use tokenfall_model::document::LabelValue;
use tokenfall_model::{Document, Usd};

/// What a label can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Tokens of questions and answers together.
    TotalTokens,
    /// Tokens of the questions.
    InputTokens,
    /// Tokens of the answers.
    OutputTokens,
    /// Cost in US dollars.
    CostUsd,
    /// What the user asked.
    Question,
    /// Model.
    Model,
    /// Id of the user.
    User,
    /// Id of the session or conversation.
    Session,
}

const WORDS: [(Meaning, &str); 8] = [
    (Meaning::TotalTokens, "total_tokens"),
    (Meaning::InputTokens, "input_tokens"),
    (Meaning::OutputTokens, "output_tokens"),
    (Meaning::CostUsd, "cost_usd"),
    (Meaning::Question, "question"),
    (Meaning::Model, "model"),
    (Meaning::User, "user"),
    (Meaning::Session, "session"),
];

/// Which label means what. Written `label=meaning, …`; of several labels with one meaning the first that an event has counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap(Vec<(String, Meaning)>);

/// A text that is no [`LabelMap`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelMapError {
    /// An entry without both parts.
    #[error("{0:?} is not of the form label=meaning, such as openai_tokens=total_tokens")]
    Form(String),
    /// A meaning that there is not.
    #[error(
        "{0:?} is no meaning of a label: choose from total_tokens, input_tokens, output_tokens, cost_usd, question, model, user, session"
    )]
    Meaning(String),
}

impl LabelMap {
    /// The labels of the article that started Tokenfall, and some that many programs use.
    pub const DEFAULT: &str = "openai_tokens=total_tokens, openai_cost=cost_usd, query=question, model=model, \
                               user_id=user, session_id=session";

    fn names(&self, meaning: Meaning) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, known)| *known == meaning).map(|(name, _)| name.as_str())
    }

    /// The text of the label with this meaning.
    pub(crate) fn text(&self, document: &Document, meaning: Meaning) -> Option<String> {
        self.names(meaning).find_map(|name| {
            let text = match document.labels.get(name) {
                Some(LabelValue::One(text)) => Some(text.trim().to_owned()),
                Some(LabelValue::Many(texts)) => texts.first().map(|text| text.trim().to_owned()),
                None => document.numeric_labels.get(name).map(ToString::to_string),
            };
            text.filter(|text| !text.is_empty())
        })
    }

    /// The number of the label with this meaning; Elastic's Node agent sends numbers as texts.
    fn number(&self, document: &Document, meaning: Meaning) -> Option<f64> {
        self.names(meaning)
            .find_map(|name| match document.numeric_labels.get(name) {
                Some(number) => Some(*number),
                None => match document.labels.get(name)? {
                    LabelValue::One(text) => text.trim().parse().ok(),
                    LabelValue::Many(_) => None,
                },
            })
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
    }

    /// A number of tokens.
    pub(crate) fn tokens(&self, document: &Document, meaning: Meaning) -> Option<u64> {
        self.number(document, meaning).filter(|tokens| *tokens < 1e15).map(|tokens| tokens.round() as u64)
    }

    /// An amount of money.
    pub(crate) fn cost(&self, document: &Document) -> Option<Usd> {
        self.number(document, Meaning::CostUsd).and_then(Usd::from_f64)
    }
}

impl Default for LabelMap {
    fn default() -> Self {
        // A test reads the text.
        Self::DEFAULT.parse().unwrap_or(Self(Vec::new()))
    }
}

impl FromStr for LabelMap {
    type Err = LabelMapError;

    fn from_str(text: &str) -> Result<Self, LabelMapError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let (label, meaning) = entry.split_once('=').ok_or_else(|| LabelMapError::Form(entry.to_owned()))?;
            // Elastic's agents and our intake replace what field names cannot have.
            let label = label.trim().replace(['.', '*', '"'], "_");
            if label.is_empty() {
                return Err(LabelMapError::Form(entry.to_owned()));
            }
            let word = meaning.trim();
            let meaning = WORDS.iter().find(|(_, known)| *known == word);
            Ok((label, meaning.ok_or_else(|| LabelMapError::Meaning(word.to_owned()))?.0))
        };
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for LabelMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (label, meaning)) in self.0.iter().enumerate() {
            let word = WORDS.iter().find(|(known, _)| known == meaning).map_or("", |(_, word)| word);
            write!(f, "{}{label}={word}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokenfall_model::{EventKind, ServiceName, Timestamp};

    use super::*;

    #[test]
    fn text_and_back() {
        assert_eq!(LabelMap::default().to_string(), LabelMap::DEFAULT);
        assert_eq!("".parse::<LabelMap>().map(|map| map.0.len()), Ok(0));
        assert_eq!("tokens".parse::<LabelMap>(), Err(LabelMapError::Form("tokens".into())));
        assert_eq!("a=tokens".parse::<LabelMap>(), Err(LabelMapError::Meaning("tokens".into())));
    }

    #[test]
    fn numbers_come_as_numbers_and_as_texts() {
        let map = LabelMap::default();
        let mut document = Document::new(Timestamp::from_micros(0), EventKind::Transaction, ServiceName::new("s"));
        document.numeric_labels.insert("openai_tokens".into(), 1446.0);
        document.labels.insert("openai_cost".into(), LabelValue::One("0.002892".into()));
        assert_eq!(map.tokens(&document, Meaning::TotalTokens), Some(1446));
        assert_eq!(map.cost(&document).map(|usd| usd.to_string()).as_deref(), Some("0.002892"));
        for bad in ["-1", "NaN", "many", ""] {
            document.labels.insert("openai_cost".into(), LabelValue::One(bad.into()));
            assert_eq!(map.cost(&document), None, "{bad}");
        }
    }
}
