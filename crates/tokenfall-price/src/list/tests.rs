use proptest::prelude::*;

use super::*;

fn at(day: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap()
}

fn priced(provider: Option<&str>, model: &str, day: &str, tokens: CallTokens) -> Option<(String, String)> {
    let call = PricedCall { provider, model, at: at(day), tokens, service_tier: None };
    PriceList::embedded().cost(&call).map(|cost| (cost.price.id, cost.usd.to_string()))
}

const MILLION: CallTokens =
    CallTokens { input: 1_000_000, cache_read: 0, cache_creation: 0, output: 1_000_000, reasoning: 0 };

#[test]
fn embedded_list_is_whole_and_small() {
    let text = include_str!("../../data/prices.jsonl");
    assert!(text.len() < 500_000, "{} bytes", text.len());
    let rows = parse_rows("embedded", text).unwrap();
    assert!(rows.len() > 2_000);
}

#[test]
fn cached_tokens_are_cheaper() {
    let tokens = CallTokens { input: 1000, cache_read: 500, output: 100, ..CallTokens::default() };
    assert_eq!(
        priced(Some("openai"), "gpt-4o", "2024-12-01", tokens),
        Some(("openai/gpt-4o".to_owned(), "0.002875".to_owned()))
    );
}

#[test]
fn names_as_they_are_sent() {
    let cases: &[(Option<&str>, &str, Option<&str>)] = &[
        (Some("openai"), "gpt-4o-mini-2024-07-18", Some("0.75")),
        (Some("azure.ai.openai"), "gpt-35-turbo", Some("2")),
        (Some("azure.ai.openai"), "gpt-4o", Some("12.5")),
        (Some("openai"), "gpt-3.5-turbo", Some("2")),
        (None, "gpt-4o", Some("12.5")),
        (Some("openrouter"), "openai/gpt-4o", Some("12.5")),
        (Some("openai"), "openai/gpt-4o", Some("12.5")),
        (Some("azure.ai.openai"), "my-deployment", None),
        (Some("openai"), "gpt-99-ultra", None),
        (Some("openai"), "ft:gpt-9:acme::1", None),
        (Some("ollama"), "llama3.2", None),
        (None, "llama3.2", None),
    ];
    for (provider, model, expected) in cases {
        let found = priced(*provider, model, "2026-11-01", MILLION);
        assert_eq!(found.as_ref().map(|(_, usd)| usd.as_str()), *expected, "{provider:?} {model}: {found:?}");
    }
}

const FILE: &str = r#"
# Negotiated.
{"provider":"openai","model":"gpt-4o","input":"2","output":"8"}
{"provider":"openai","model":"gpt-4o","input":"1","output":"4","valid_from":"2026-06-01"}
{"provider":"openai","model":"gpt-4o","input":"0.5","output":"2","valid_from":"2026-06-01","tier":"batch"}
{"provider":"home","model":"long","input":"1","output":"2","above":[{"input_tokens":100,"input":"3"},{"input_tokens":200,"input":"5","output":"7"}]}
{"provider":"home","model":"night","input":"2","output":"2"}
{"provider":"home","model":"night","input":"1","output":"1","hours_utc":["22:00","06:00"]}
{"provider":"home","model":"embedding","input":"1"}
"#;

fn own(provider: &str, model: &str, time: &str, tier: Option<&str>, input: u64, output: u64) -> Option<Cost> {
    let list = PriceList::embedded().with_overrides("prices.jsonl", FILE).unwrap();
    let tokens = CallTokens { input, output, ..CallTokens::default() };
    let at = Timestamp::parse_rfc3339(time).unwrap();
    list.cost(&PricedCall { provider: Some(provider), model, at, tokens, service_tier: tier })
}

#[test]
fn a_file_comes_before_the_embedded_list() {
    for (time, tier, pico, valid_from) in [
        ("2026-05-31T23:59:59Z", None, 10_000_000, None),
        ("2026-06-01T00:00:00Z", None, 5_000_000, Some("2026-06-01")),
        ("2026-06-01T00:00:00Z", Some("batch"), 2_500_000, Some("2026-06-01")),
        ("2026-05-01T00:00:00Z", Some("batch"), 10_000_000, None),
        ("2026-06-01T00:00:00Z", Some("default"), 5_000_000, Some("2026-06-01")),
    ] {
        let cost = own("openai", "gpt-4o", time, tier, 1, 1).unwrap();
        assert_eq!((cost.usd.pico(), cost.price.valid_from.as_deref()), (pico, valid_from), "{time} {tier:?}");
        assert_eq!((cost.price.id.as_str(), cost.price.list.as_str()), ("openai/gpt-4o", "prices.jsonl"));
    }
    let other = own("openai", "gpt-4o-mini", "2026-06-01T00:00:00Z", None, 1, 1).unwrap();
    assert_eq!(other.price.list, "embedded");
}

#[test]
fn long_questions_and_hours() {
    let pico = |model, time, input, output| own("home", model, time, None, input, output).map(|cost| cost.usd.pico());
    let noon = "2026-06-01T12:00:00Z";
    assert_eq!(pico("long", noon, 100, 1), Some(102_000_000));
    assert_eq!(pico("long", noon, 101, 1), Some(305_000_000));
    assert_eq!(pico("long", noon, 201, 1), Some(1_012_000_000));
    assert_eq!(pico("night", noon, 1, 0), Some(2_000_000));
    assert_eq!(pico("night", "2026-06-01T05:59:59Z", 1, 0), Some(1_000_000));
    assert_eq!(pico("embedding", noon, 1, 0), Some(1_000_000));
    assert_eq!(pico("embedding", noon, 1, 1), None, "no price for answers");
}

proptest! {
    #[test]
    fn more_tokens_never_cost_less(input in 0..100_000_u64, cached in 0..1000_u64, output in 0..100_000_u64, more in 0..1000_u64) {
        let list = PriceList::embedded();
        let cost = |input, output| {
            let tokens = CallTokens { input, cache_read: cached, output, ..CallTokens::default() };
            let call = PricedCall { provider: Some("openai"), model: "gpt-4o", at: at("2026-01-01"), tokens, service_tier: None };
            list.cost(&call).unwrap().usd
        };
        prop_assert!(cost(input + cached, output) <= cost(input + cached + more, output));
        prop_assert!(cost(input + cached, output) <= cost(input + cached, output + more));
        // A call and the rest of it cost what both cost: the arithmetic is exact.
        prop_assert_eq!(cost(input + cached, output + more) - cost(input + cached, output), Usd::from_pico(i128::from(more) * 10_000_000));
    }
}
