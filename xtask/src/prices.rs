//! Makes the embedded price list from the data of the `genai-prices` crate (MIT), which is a JSON array of providers.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

/// Kinds of tokens: our name and theirs.
const KINDS: [(&str, &str); 5] = [
    ("input", "input_mtok"),
    ("cache_read", "cache_read_mtok"),
    ("cache_write", "cache_write_mtok"),
    ("output", "output_mtok"),
    ("reasoning", "output_reasoning_mtok"),
];

/// Reads `source` and writes `crates/tokenfall-price/data/prices.jsonl`.
pub(crate) fn convert(root: &Path, source: &Path) -> Result<()> {
    let text = std::fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
    let providers: Vec<Value> = serde_json::from_str(&text)?;
    let mut lines = String::new();
    for provider in &providers {
        for model in list(provider, "models") {
            for row in rows(text_of(provider, "id")?, model)? {
                writeln!(lines, "{row}")?;
            }
        }
    }
    let target = root.join("crates/tokenfall-price/data/prices.jsonl");
    std::fs::write(&target, &lines).with_context(|| format!("cannot write {}", target.display()))
}

/// The usual prices by date, then those of other tiers, which change what they name in the usual ones.
fn rows(provider: &str, model: &Value) -> Result<Vec<Value>> {
    let usual = match model.get("prices") {
        Some(Value::Array(dated)) => dated.clone(),
        Some(prices) => vec![json!({ "prices": prices })],
        None => bail!("{provider}: a model without prices"),
    };
    let newest = usual.iter().rfind(|row| row.pointer("/constraint/start_time").is_none()).unwrap_or(&Value::Null);
    let mut rows = Vec::new();
    for row in &usual {
        rows.extend(self::row(provider, model, row, row.get("prices"), None)?);
    }
    for variant in list(model, "price_variants") {
        let when = variant.get("when").and_then(Value::as_object).context("a variant without its condition")?;
        let mut names = when.values().filter_map(Value::as_str);
        let (Some(tier), None) = (names.next(), names.next()) else { continue };
        let mut prices = newest.get("prices").cloned().unwrap_or_default();
        let changed = variant.get("prices").and_then(Value::as_object).cloned().unwrap_or_default();
        if let (Some(prices), false) = (prices.as_object_mut(), changed.is_empty()) {
            prices.extend(changed);
            rows.extend(self::row(provider, model, variant, Some(&Value::Object(prices.clone())), Some(tier))?);
        }
    }
    Ok(rows)
}

fn row(
    provider: &str,
    model: &Value,
    dated: &Value,
    prices: Option<&Value>,
    tier: Option<&str>,
) -> Result<Option<Value>> {
    let name = text_of(model, "id")?;
    let mut row = Map::new();
    row.insert("provider".into(), provider.into());
    row.insert("model".into(), name.into());
    let clause = clause(model.get("match").context("a model without a match")?)?;
    if clause != json!({ "equals": name }) {
        row.insert("match".into(), clause);
    }
    if let Some(day) = dated.pointer("/constraint/start_date") {
        row.insert("valid_from".into(), day.clone());
    }
    if let Some(tier) = tier {
        row.insert("tier".into(), tier.into());
    }
    let time = |path| dated.pointer(path).and_then(Value::as_str).map(|time| time.trim_end_matches('Z'));
    if let (Some(from), Some(to)) = (time("/constraint/start_time"), time("/constraint/end_time")) {
        row.insert("hours_utc".into(), json!([from, to]));
    }
    let mut long: std::collections::BTreeMap<u64, Map<String, Value>> = std::collections::BTreeMap::new();
    let mut priced = false;
    for (ours, theirs) in KINDS {
        let Some(price) = prices.and_then(|p| p.get(theirs)) else { continue };
        let base = price.get("base").unwrap_or(price);
        row.insert(ours.into(), decimal(base)?.into());
        priced |= ours == "input" || ours == "output";
        for tier in list(price, "tiers") {
            let start = tier.get("start").and_then(Value::as_u64).context("a tier without its start")?;
            let price = decimal(tier.get("price").context("a tier without its price")?)?;
            long.entry(start).or_default().insert(ours.into(), price.into());
        }
    }
    let above: Vec<Value> = long
        .into_iter()
        .map(|(start, mut prices)| {
            prices.insert("input_tokens".into(), start.into());
            Value::Object(prices)
        })
        .collect();
    if !above.is_empty() {
        row.insert("above".into(), above.into());
    }
    // What is paid by the second or the page has no row.
    Ok(priced.then_some(Value::Object(row)))
}

/// Our regular expressions have no look-ahead: `^(?!.*X)` becomes `not X`.
fn clause(clause: &Value) -> Result<Value> {
    let (kind, value) = clause.as_object().and_then(|c| c.iter().next()).context("an empty match")?;
    Ok(match (kind.as_str(), value) {
        ("or" | "and", Value::Array(all)) => {
            json!({ kind: all.iter().map(self::clause).collect::<Result<Vec<_>>>()? })
        }
        ("regex", Value::String(pattern)) => match pattern.strip_prefix("^(?!.*").and_then(|p| p.strip_suffix(')')) {
            Some(inner) => json!({ "not": { "regex": inner } }),
            None => clause.clone(),
        },
        _ => clause.clone(),
    })
}

/// The shortest decimal number that is this price.
fn decimal(price: &Value) -> Result<String> {
    let number = price.as_f64().context("a price that is no number")?;
    Ok(format!("{number}"))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text_of<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("no {key} in {value}"))
}
