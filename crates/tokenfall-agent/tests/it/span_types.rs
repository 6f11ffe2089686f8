//! Span types of the agent against the list of the specification.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What the agent emits that the list does not have, and why.
const REASONS: &[(&str, &str)] = &[
    ("genai", "the list is older than calls of models; the server's own word for them"),
    ("sql", "what is called where the program did not say which database it is; the list has `unknown`"),
    ("unknown", "the feature `otel_bridge` demands it"),
    ("messaging.*", "the subtype is the value of `messaging.system`"),
];

/// Literals in the source after which a type or a subtype stands.
const MARKS: [&str; 4] =
    ["span_type(\"", ".subtype(\"", "subtype.get_or_insert(Text::Borrowed(\"", "kind = Text::Borrowed(\""];

#[test]
fn types_are_those_of_the_specification() {
    let Some(fixtures) = tokenfall_testkit::elastic_fixtures("types_are_those_of_the_specification") else { return };
    let path = fixtures.join("agent-specs/json-specs/span_types.json");
    let list: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the list")).expect("it is JSON");
    let list = list.as_object().expect("an object");
    let known = |word: &str| {
        let is_type = list.contains_key(word) && !word.starts_with('_');
        let is_subtype = list.values().any(|kind| kind["subtypes"].get(word).is_some());
        is_type || is_subtype || REASONS.iter().any(|(reasoned, _)| *reasoned == word)
    };
    let emitted = emitted();
    assert!(["db", "sql", "app", "internal"].iter().all(|word| emitted.contains(*word)), "{emitted:?}");
    let unlisted: Vec<&String> = emitted.iter().filter(|word| !known(word)).collect();
    assert!(unlisted.is_empty(), "neither in the list nor with a reason: {unlisted:?}");
}

/// Words that stand after one of the marks in the agent's source, tests and documentation left out.
fn emitted() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for mark in MARKS {
                let after = line.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
                words.extend(after.map(str::to_owned));
            }
        }
    }
    words
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    let is_source = |path: &PathBuf| {
        let is_test =
            path.file_stem().is_some_and(|stem| stem == "tests") || path.components().any(|c| c.as_os_str() == "tests");
        path.extension().is_some_and(|extension| extension == "rs") && !is_test
    };
    entries.flat_map(of).filter(is_source).collect()
}
