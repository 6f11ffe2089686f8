use std::time::Duration;

use super::table::Kind;
use super::value::{self, Unit};
use super::*;

fn resolved(code: &[(&str, &str)], variables: &[(&str, &str)]) -> Config {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::resolve(&code.iter().map(owned).collect(), &Environment::of(variables.iter().map(owned)))
}

#[test]
fn rates_are_rounded_half_away_from_zero_to_four_places() {
    for (text, expected) in [
        ("1", 1.0),
        ("1.0", 1.0),
        ("0", 0.0),
        ("0.0", 0.0),
        ("0.5", 0.5),
        ("0.55554", 0.5555),
        ("0.55555", 0.5556),
        ("0.55556", 0.5556),
        ("0.00005", 0.0001),
        ("0.000001", 0.0001),
        ("1e-9", 0.0001),
        ("0.99999", 1.0),
        (" 0.25 ", 0.25),
    ] {
        assert_eq!(value::rate(text), Ok(expected), "{text}");
    }
    for text in ["", "-0.1", "1.1", "NaN", "inf", "0,5", "half"] {
        assert!(value::rate(text).is_err(), "{text}");
    }
}

#[test]
fn durations_need_a_unit() {
    for (text, expected) in [
        ("0ms", Duration::ZERO),
        ("50ms", Duration::from_millis(50)),
        ("10s", Duration::from_secs(10)),
        ("2m", Duration::from_secs(120)),
        ("-0s", Duration::ZERO),
    ] {
        assert_eq!(value::duration(text, Unit::Milliseconds), Ok(expected), "{text}");
    }
    assert_eq!(value::duration("7us", Unit::Microseconds), Ok(Duration::from_micros(7)));
    assert_eq!(value::signed_duration("-1ms", Unit::Milliseconds), Ok(None));
    for text in [
        "",
        "10",
        "s",
        "1.5s",
        "10 s",
        "1h",
        "7us",
        "-1ms",
        "--1ms",
        "+1s",
        "10S",
        "99999999999999999999s",
        "999999999999999999m",
    ] {
        assert!(value::duration(text, Unit::Milliseconds).is_err(), "{text}");
    }
}

#[test]
fn sizes_count_in_1024s() {
    for (text, expected) in [("0b", 0), ("5b", 5), ("768kb", 786_432), ("1MB", 1 << 20), ("3gb", 3 << 30)] {
        assert_eq!(value::size(text), Ok(expected), "{text}");
    }
    for text in ["", "768", "kb", "-1kb", "1.5mb", "1tb", "99999999999gb"] {
        assert!(value::size(text).is_err(), "{text}");
    }
}

#[test]
fn other_values() {
    assert_eq!(value::boolean(" TRUE "), Ok(true));
    assert!(value::boolean("1").is_err() && value::boolean("").is_err());
    assert_eq!(value::integer("500"), Ok(500));
    assert!(value::integer("-1").is_err() && value::integer("+1").is_err() && value::integer("1e3").is_err());
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(value::pairs("a=1, b = x=y ,"), Ok(vec![pair("a", "1"), pair("b", "x=y")]));
    assert!(value::pairs("a").is_err() && value::pairs("=1").is_err());
    assert_eq!(value::urls("http://a:1/, http://b/p/"), Ok(vec!["http://a:1".to_owned(), "http://b/p".to_owned()]));
    assert!(value::urls("").is_err() && value::urls("a:1").is_err() && value::urls("ftp://a").is_err());
    assert_eq!(value::urls("https://a").is_ok(), cfg!(feature = "tls"));
}

#[test]
fn every_option_has_a_name_of_its_own_and_a_default_that_is_one() {
    let mut names = std::collections::BTreeSet::new();
    for option in OPTIONS {
        assert!(names.insert(option.name), "{} is there twice", option.name);
        assert!(option.about.ends_with('.') && !option.about.contains('|'), "{}", option.name);
        if !option.default.is_empty() {
            assert_eq!((option.set)(&mut Config::default(), option.default), Ok(()), "{}", option.name);
        }
    }
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_settings() {
    assert_eq!(format!("{:?}", Config::default().settings), format!("{:?}", Settings::default()));
    let config = Config::default();
    assert_eq!(config.server_urls, ["http://127.0.0.1:8200"]);
    assert_eq!(config.api_request_size, 768 << 10);
    assert_eq!(config.api_request_time, Duration::from_secs(10));
    assert_eq!(config.metrics_interval, Duration::from_secs(30));
}

#[test]
fn the_environment_wins_over_code_and_what_is_no_value_does_not_count() {
    let code = [("transaction_sample_rate", "0.5"), ("service_name", "code"), ("api_request_size", "huge")];
    let variables = [("ELASTIC_APM_TRANSACTION_SAMPLE_RATE", "often"), ("ELASTIC_APM_SERVICE_NAME", "env")];
    let config = resolved(&code, &variables);
    assert!((config.settings.sample_rate - 0.5).abs() < f64::EPSILON);
    assert_eq!(config.service_name, "env");
    assert_eq!(config.api_request_size, 768 << 10);
    assert_eq!(resolved(&code, &[("ELASTIC_APM_SERVICE_NAME", "")]).service_name, "code", "empty is absent");
}

#[test]
fn names_of_services_are_cleaned() {
    for (name, expected) in [("my Service-1_x", "my Service-1_x"), ("myService/()<>@", "myService______"), (" ü ", "_")]
    {
        assert_eq!(resolved(&[("service_name", name)], &[]).service_name, expected);
    }
    let default = resolved(&[("service_name", " ")], &[]).service_name;
    assert!(default.starts_with("tokenfall_agent-"), "the name of this program is expected: {default}");
}

#[test]
fn the_server_changes_only_what_can_change() {
    let local = resolved(&[("transaction_max_spans", "7"), ("service_name", "local")], &[]);
    let central =
        [("transaction_sample_rate", "0.1"), ("transaction_max_spans", "?"), ("service_name", "x"), ("unknown", "x")];
    let config =
        local.with_central(&central.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    assert!((config.settings.sample_rate - 0.1).abs() < f64::EPSILON);
    assert_eq!(config.settings.transaction_max_spans, 7);
    assert_eq!(config.service_name, "local");
}

#[test]
fn secrets_are_not_shown() {
    let config = resolved(&[("secret_token", "hush"), ("api_key", "hush")], &[]);
    assert!(!format!("{config:?}").contains("hush"));
    assert_eq!(config.secret_token.expect("it was set").reveal(), "hush");
}

/// `docs/agent-configuration.md`.
fn reference() -> String {
    use std::fmt::Write as _;
    let mut text = String::from(
        "# Configuration of the Rust agent\n\n\
         <!-- Written by `TOKENFALL_WRITE_REFERENCE=1 cargo test -p tokenfall-agent --lib reference`; a test fails when it is old. -->\n\n\
         The agent needs no configuration if the server is on the same machine. An option comes from the first of these \
         sources that has a value for it:\n\n\
         1. the server's central configuration (options marked *live*; asked for every 5 minutes, or as often as the server \
         says, at least 5 seconds apart)\n\
         2. the environment variable: `ELASTIC_APM_SERVICE_NAME=shop`\n\
         3. the program: `Agent::builder().service_name(\"shop\")`, or for every option by its name \
         `.option(\"transaction_sample_rate\", \"0.1\")`\n\
         4. the default\n\n\
         A value that is none is warned about (crate `log`), and the next source counts. What the agent says is in the \
         target `tokenfall_agent`; how much of it is shown is decided by the program's logger.\n\n\
         Durations: a whole number with `ms`, `s` or `m`, fine ones also with `us`. Sizes: with `b`, `kb`, `mb` or `gb` (1024). \
         Lists and pairs: separated by commas. Patterns: `*` stands for any characters, the whole text has to match, case \
         does not matter unless the pattern begins with `(?-i)`.\n\n\
         Requests go through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` name (method `CONNECT`), but for this \
         machine and what `NO_PROXY` names.\n\n\
         | option | environment variable | value | default | live | what it does |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for option in OPTIONS {
        let kind = match option.kind {
            Kind::Boolean => "`true`, `false`",
            Kind::Integer => "whole number",
            Kind::Rate => "0 to 1",
            Kind::Duration => "duration",
            Kind::GranularDuration => "fine duration",
            Kind::Size => "size",
            Kind::Text => "text",
            Kind::Secret => "secret",
            Kind::Word => "word",
            Kind::Patterns => "patterns",
            Kind::Pairs => "`key=value`, …",
            Kind::Addresses => "addresses",
            Kind::File => "file",
        };
        let default = if option.default.is_empty() { "none".to_owned() } else { format!("`{}`", option.default) };
        let live = if option.dynamic { "yes" } else { "" };
        let (name, variable) = (option.name, option.variable());
        writeln!(text, "| `{name}` | `{variable}` | {kind} | {default} | {live} | {} |", option.about)
            .expect("a string");
    }
    text
}

#[test]
fn the_reference_page_is_new() {
    let path = tokenfall_testkit::repository_root().join("docs/agent-configuration.md");
    if std::env::var_os("TOKENFALL_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, reference()).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == reference(), "docs/agent-configuration.md is old; see its second line");
}
