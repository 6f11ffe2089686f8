//! Where the value of each option comes from: flag, environment, file, default, in this order.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use toml::de::{DeTable, DeValue};

use crate::options::{OPTIONS, Opt, Settings};

/// File that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "tokenfall.toml";

/// Environment variable that names the file.
pub(crate) const FILE_ENV: &str = "TOKENFALL_CONFIG";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Env(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// The value of each option as text, in the order of the table.
pub(crate) struct Resolved(Vec<(&'static Opt, String, Origin)>);

/// Finds the value of each option. `flag` and `env` say what was given by that name.
pub(crate) fn resolve(
    file: Option<&Path>,
    flag: impl Fn(&str) -> Option<String>,
    env: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Resolved> {
    let mut from_file = match file.map(Path::to_owned).or_else(|| env(FILE_ENV).map(PathBuf::from)) {
        Some(path) => read(&path)?,
        None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE))?,
        None => BTreeMap::new(),
    };
    let value_of = |option: &'static Opt| {
        let in_file = from_file.remove(option.name);
        if let Some(value) = flag(&option.flag()) {
            return (option, value, Origin::Flag(option.flag()));
        }
        if let Some(value) = env(&option.env()) {
            return (option, value, Origin::Env(option.env()));
        }
        match in_file {
            Some((value, origin)) => (option, value, origin),
            None => (option, option.default.to_owned(), Origin::Default),
        }
    };
    Ok(Resolved(OPTIONS.iter().map(value_of).collect()))
}

impl Resolved {
    /// The settings, or the first value that cannot be read, with its origin.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = Settings::default();
        for (option, value, origin) in &self.0 {
            option.apply(&mut settings, value).map_err(|error| {
                let shown = if option.secret { "***" } else { value };
                anyhow::anyhow!("{} = `{shown}` (from {origin}): {error}", option.name)
            })?;
        }
        Ok(settings)
    }

    /// A line for each option: value and origin.
    pub(crate) fn lines(&self) -> Vec<String> {
        let shown = |(option, value, origin): &(&Opt, String, Origin)| {
            let value = if option.secret && !value.is_empty() { "***" } else { value };
            (format!("{} = {:?}", option.name, value), origin.to_string())
        };
        let rows: Vec<_> = self.0.iter().map(shown).collect();
        let width = rows.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0);
        rows.into_iter().map(|(text, origin)| format!("{text:width$}  # {origin}")).collect()
    }

    /// Where values come from that are not defaults, for `doctor`.
    pub(crate) fn origins(&self) -> Vec<String> {
        let chosen = self.0.iter().filter(|(.., origin)| *origin != Origin::Default);
        chosen.map(|(option, _, origin)| format!("{} from {origin}", option.name)).collect()
    }
}

/// Reads a file; every key must be that of an option.
fn read(path: &Path) -> anyhow::Result<BTreeMap<String, (String, Origin)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> anyhow::Result<BTreeMap<String, (String, Origin)>> {
    let line_of = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        anyhow::anyhow!("{}:{line}: {}", path.display(), error.message())
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let place = format!("{}:{line}", path.display());
        if !OPTIONS.iter().any(|option| option.name == key.get_ref().as_ref()) {
            bail!("{place}: unknown key `{}`; `tokenfall config reference` lists all", key.get_ref());
        }
        let Some(text) = as_text(value.get_ref()) else {
            bail!("{place}: `{}` must be a text, a number or a list of texts", key.get_ref());
        };
        values.insert(key.get_ref().to_string(), (text, Origin::File { path: path.to_owned(), line }));
    }
    Ok(values)
}

/// A value as a flag would have it.
fn as_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Array(entries) => {
            let entries: Option<Vec<_>> = entries.iter().map(|entry| entry.get_ref().as_str()).collect();
            Some(entries?.join(","))
        }
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(file: &str, flags: &[(&str, &str)], env: &[(&str, &str)]) -> anyhow::Result<Resolved> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.toml");
        std::fs::write(&path, file).unwrap();
        let find = |pairs: &[(&str, &str)], name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        resolve(Some(&path), |name| find(flags, name), |name| find(env, name))
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let file = "namespace = \"file\"\nsearches_max = 3\napi_keys = [\"a:1\", \"b:2\"]\nlog_format = \"json\"\n";
        let resolved = resolved(
            file,
            &[("namespace", "flag")],
            &[("TOKENFALL_NAMESPACE", "env"), ("TOKENFALL_LOG_FORMAT", "text")],
        )
        .unwrap();
        let settings = resolved.settings().unwrap();
        assert_eq!(settings.server.namespace, "flag");
        assert_eq!(settings.server.limits.searches_max, 3);
        assert_eq!(settings.server.secrets.api_keys.len(), 2);
        assert_eq!(settings.log_format, crate::options::LogFormat::Text);
        let text = resolved.lines().join("\n");
        assert!(
            text.contains("# --namespace") && text.contains("t.toml:2") && text.contains("# TOKENFALL_LOG_FORMAT"),
            "{text}"
        );
        assert!(!text.contains("a:1"), "{text}");
    }

    #[test]
    fn mistakes_in_the_file_are_located() {
        let check = |file: &str, expect: &str| {
            let error = resolved(file, &[], &[]).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check("listen = \"127.0.0.1:1\"\n\nlistn = 5\n", "t.toml:3: unknown key `listn`");
        check("listen = \n", "t.toml:1");
        check("listen = true\n", "t.toml:1: `listen` must be");
        check("[listen]\na = 1\n", "t.toml:1: `listen` must be");
        check("data = \"a\"\ndata = \"b\"\n", "t.toml:2");
    }

    #[test]
    fn bad_values_name_their_origin() {
        let error = resolved("searches_max = \"many\"", &[], &[]).unwrap().settings().unwrap_err().to_string();
        assert!(error.contains("searches_max") && error.contains("t.toml:1"), "{error}");
        let error = resolved("", &[], &[("TOKENFALL_API_KEYS", "hush")]).unwrap().settings().unwrap_err().to_string();
        assert!(error.contains("TOKENFALL_API_KEYS") && !error.contains("hush"), "{error}");
    }
}
