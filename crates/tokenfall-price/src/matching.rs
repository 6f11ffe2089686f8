//! Which names a price row is for.

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A condition on the name of a model. Names are compared in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clause {
    /// The name is this.
    Equals(String),
    /// It begins with this.
    StartsWith(String),
    /// It ends with this.
    EndsWith(String),
    /// It contains this.
    Contains(String),
    /// The regular expression finds something in it.
    Regex(String),
    /// One of these holds.
    Or(Vec<Clause>),
    /// All of these hold.
    And(Vec<Clause>),
    /// This does not hold.
    Not(Box<Clause>),
}

impl Clause {
    /// Says what is wrong with a regular expression inside.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Regex(pattern) => expression(pattern)
                .map(|_| ())
                .map_err(|error| format!("{pattern:?} is no regular expression: {error}")),
            Self::Or(clauses) | Self::And(clauses) => clauses.iter().try_for_each(Self::check),
            Self::Not(clause) => clause.check(),
            Self::Equals(_) | Self::StartsWith(_) | Self::EndsWith(_) | Self::Contains(_) => Ok(()),
        }
    }

    /// Names that are this model whatever else is in the list.
    pub(crate) fn exact_names(&self) -> Vec<&str> {
        match self {
            Self::Equals(name) => vec![name],
            Self::Or(clauses) => clauses.iter().flat_map(Self::exact_names).collect(),
            _ => Vec::new(),
        }
    }
}

fn expression(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build()
}

/// A [`Clause`] made ready. Expressions are compiled when they are asked for the first time: most never are.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(String, std::sync::OnceLock<Option<Regex>>),
    Or(Vec<Matcher>),
    And(Vec<Matcher>),
    Not(Box<Matcher>),
}

impl Matcher {
    pub(crate) fn new(clause: &Clause) -> Self {
        let all = |clauses: &[Clause]| clauses.iter().map(Self::new).collect();
        match clause {
            Clause::Equals(text) => Self::Equals(text.to_lowercase()),
            Clause::StartsWith(text) => Self::StartsWith(text.to_lowercase()),
            Clause::EndsWith(text) => Self::EndsWith(text.to_lowercase()),
            Clause::Contains(text) => Self::Contains(text.to_lowercase()),
            Clause::Regex(pattern) => Self::Regex(pattern.clone(), std::sync::OnceLock::new()),
            Clause::Or(clauses) => Self::Or(all(clauses)),
            Clause::And(clauses) => Self::And(all(clauses)),
            Clause::Not(clause) => Self::Not(Box::new(Self::new(clause))),
        }
    }

    /// `name` is in lower case.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == text,
            Self::StartsWith(text) => name.starts_with(text.as_str()),
            Self::EndsWith(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Regex(pattern, compiled) => {
                compiled.get_or_init(|| expression(pattern).ok()).as_ref().is_some_and(|regex| regex.is_match(name))
            }
            Self::Or(all) => all.iter().any(|one| one.matches(name)),
            Self::And(all) => all.iter().all(|one| one.matches(name)),
            Self::Not(one) => !one.matches(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses() {
        let matches = |json: &str, name: &str| Matcher::new(&serde_json::from_str(json).unwrap()).matches(name);
        for (json, name, expected) in [
            (r#"{"equals":"GPT-4o"}"#, "gpt-4o", true),
            (r#"{"starts_with":"gpt-4"}"#, "gpt-4o", true),
            (r#"{"ends_with":"4o"}"#, "gpt-4o-mini", false),
            (r#"{"contains":"4o"}"#, "gpt-4o-mini", true),
            (r#"{"regex":"^claude-\\d$"}"#, "claude-3", true),
            (r#"{"and":[{"contains":"a"},{"not":{"contains":"b"}}]}"#, "ab", false),
            (r#"{"or":[{"equals":"a"},{"equals":"b"}]}"#, "b", true),
            (r#"{"or":[]}"#, "b", false),
        ] {
            assert_eq!(matches(json, name), expected, "{json} {name}");
        }
    }
}
