//! What can be asked: the GET routes of the OpenAPI document.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Beginning of every path.
const ROOT: &str = "/api/v1/";

/// The answers, by path.
pub(super) struct Answers(Vec<Answer>);

/// One answer.
struct Answer {
    /// Path without its beginning, such as `llm/spend` or `sessions/{id}`.
    path: String,
    summary: String,
    /// Parameters of the query with their descriptions.
    parameters: Vec<(String, String)>,
}

impl Answers {
    pub(super) fn of(openapi: &str) -> anyhow::Result<Self> {
        let document: Value = serde_json::from_str(openapi)?;
        let paths = document.get("paths").and_then(Value::as_object).context("the OpenAPI document has no paths")?;
        let answers = paths.iter().filter_map(|(path, methods)| {
            let get = methods.get("get")?;
            let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let parameters = get.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let in_query = parameters.filter(|parameter| text(parameter, "in") == "query");
            Some(Answer {
                path: path.strip_prefix(ROOT)?.to_owned(),
                summary: text(get, "summary"),
                parameters: in_query.map(|p| (text(p, "name"), text(p, "description"))).collect(),
            })
        });
        Ok(Self(answers.collect()))
    }

    /// All answers with their parameters, for people.
    pub(super) fn list(&self) -> String {
        let width = self.0.iter().map(|answer| answer.path.len()).max().unwrap_or(0);
        let mut lines = vec!["tokenfall query ANSWER [NAME=VALUE …]".to_owned(), String::new()];
        for answer in &self.0 {
            lines.push(format!("{:width$}  {}", answer.path, answer.summary.trim_end_matches('.')));
            if !answer.parameters.is_empty() {
                let names: Vec<&str> = answer.parameters.iter().map(|(name, _)| name.as_str()).collect();
                lines.push(format!("{:width$}    {}", "", names.join(" ")));
            }
        }
        lines.push(String::new());
        lines.push("A name may be shortened to its last part where that is clear: spend is llm/spend.".to_owned());
        lines.join("\n")
    }

    /// The path to ask for, parameters checked and encoded.
    pub(super) fn path(&self, name: &str, parameters: &[(String, String)]) -> anyhow::Result<String> {
        let name = name.trim_matches('/');
        let answer = self.find(name)?;
        for (given, _) in parameters {
            if !answer.parameters.iter().any(|(known, _)| known == given) {
                let known: Vec<&str> = answer.parameters.iter().map(|(name, _)| name.as_str()).collect();
                bail!("{} has no parameter {given}; it has: {}", answer.path, known.join(", "));
            }
        }
        let is_short = name.split('/').count() < answer.path.split('/').count();
        let path = if is_short { answer.path.as_str() } else { name };
        let segments: Vec<String> = path.split('/').map(encode).collect();
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(format!("{ROOT}{}{mark}{}", segments.join("/"), query.join("&")))
    }

    fn find(&self, name: &str) -> anyhow::Result<&Answer> {
        let exact = self.0.iter().find(|answer| answer.path == name && !name.contains('{'));
        let filled = || self.0.iter().find(|answer| is_filled(&answer.path, name));
        if let Some(answer) = exact.or_else(filled) {
            return Ok(answer);
        }
        let by_end: Vec<&Answer> =
            self.0.iter().filter(|answer| answer.path.rsplit('/').next() == Some(name)).collect();
        match by_end[..] {
            [answer] => Ok(answer),
            [] => bail!("there is no answer {name}; `tokenfall query` lists all"),
            _ => {
                let paths: Vec<&str> = by_end.iter().map(|answer| answer.path.as_str()).collect();
                bail!("{name} can be several: {}", paths.join(", "))
            }
        }
    }
}

/// True if the name is the path with something in place of each `{…}`.
fn is_filled(path: &str, name: &str) -> bool {
    let (path, name): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), name.split('/').collect());
    path.len() == name.len()
        && path.iter().zip(&name).all(|(p, n)| !n.starts_with('{') && (p == n || (p.starts_with('{') && !n.is_empty())))
}

/// Percent-encodes what may not stand in a part of a URL.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let written = write!(encoded, "%{byte:02X}");
            debug_assert!(written.is_ok());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        Answers::of(&tokenfall_server::openapi()).unwrap()
    }

    fn asked(name: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let pairs: Vec<(String, String)> = parameters.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        answers().path(name, &pairs).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_parameters() {
        assert_eq!(asked("llm/spend", &[("by", "label:team")]).unwrap(), "/api/v1/llm/spend?by=label%3Ateam");
        assert_eq!(asked("spend", &[("from", "now-30d")]).unwrap(), "/api/v1/llm/spend?from=now-30d");
        assert_eq!(asked("sessions/a b", &[]).unwrap(), "/api/v1/sessions/a%20b");
        assert_eq!(asked("sessions", &[]).unwrap(), "/api/v1/sessions");
        assert!(asked("spent", &[]).unwrap_err().contains("lists all"));
        assert!(asked("spend", &[("bye", "x")]).unwrap_err().contains("by"));
        assert!(asked("sessions/{id}", &[]).is_err());
    }

    #[test]
    fn every_route_can_be_asked() {
        let answers = answers();
        assert!(answers.0.len() > 15);
        for answer in &answers.0 {
            let filled: Vec<&str> =
                answer.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
            assert!(answers.path(&filled.join("/"), &[]).is_ok(), "{}", answer.path);
            assert!(answers.list().contains(&answer.path));
        }
    }
}
