//! The list: finds the row of a call and multiplies.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustc_hash::FxHashMap;
use tokenfall_model::document::PriceReference;
use tokenfall_model::{Timestamp, Usd};

use crate::matching::{Clause, Matcher};
use crate::provider;
use crate::row::{PriceFileError, PriceRow, Prices, parse_rows};
use crate::{CallTokens, Cost, PricedCall};

/// Prices are for this many tokens.
const PER_TOKENS: i128 = 1_000_000;
/// Name of the list that comes with the program.
const EMBEDDED: &str = "embedded";

static ROWS: LazyLock<Arc<Layer>> = LazyLock::new(|| {
    let rows = parse_rows(EMBEDDED, include_str!("../data/prices.jsonl"));
    // A test reads the file, so this is never empty in a program that was released.
    Arc::new(Layer::new(EMBEDDED, rows.unwrap_or_default()))
});

/// Prices, those of the embedded list and those that a file puts over them.
#[derive(Clone, Default)]
pub struct PriceList {
    /// The first that knows a model decides.
    layers: Vec<Arc<Layer>>,
}

impl fmt::Debug for PriceList {
    /// Names of the lists: nobody wants to see thousands of rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.layers.iter().map(|layer| &layer.name)).finish()
    }
}

impl PriceList {
    /// The list that comes with this version.
    pub fn embedded() -> Self {
        Self { layers: vec![Arc::clone(&ROWS)] }
    }

    /// Puts the rows of a file over the list: a model that the file has is priced by it, from the first day on that it names.
    ///
    /// # Errors
    /// If a line is no price row.
    pub fn with_overrides(mut self, file: &str, text: &str) -> Result<Self, PriceFileError> {
        self.layers.insert(0, Arc::new(Layer::new(file, parse_rows(file, text)?)));
        Ok(self)
    }

    /// Cost of a call; `None` if the list has no such model on that day, or no price for a kind of token that the call has.
    pub fn cost(&self, call: &PricedCall<'_>) -> Option<Cost> {
        let (row, layer) = self.row(call.provider, call.model, call.at, call.service_tier)?;
        let usd = amount(prices_for(row, call.tokens.input), call.tokens)?;
        let price = PriceReference {
            id: format!("{}/{}", row.provider, row.model),
            valid_from: row.valid_from.clone(),
            list: layer.name.clone(),
        };
        Some(Cost { usd, price })
    }

    /// The row that a call is priced with.
    fn row(
        &self,
        provider: Option<&str>,
        model: &str,
        at: Timestamp,
        tier: Option<&str>,
    ) -> Option<(&PriceRow, &Layer)> {
        let names = provider::model_names(model);
        let ids = provider::ids(provider, names.last().map_or(model, String::as_str));
        self.layers.iter().find_map(|layer| {
            let model = ids.iter().find_map(|id| layer.model(id, &names))?;
            Some((model.row(at, tier)?, layer.as_ref()))
        })
    }

    /// Every row with the name of its list, in the order in which they are looked at.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &PriceRow)> {
        self.layers.iter().flat_map(|layer| {
            layer.models.iter().flat_map(|model| model.rows.iter().map(|row| (layer.name.as_str(), row)))
        })
    }
}

/// The rows of one file.
#[derive(Debug)]
struct Layer {
    name: String,
    models: Vec<Model>,
    /// Models of each provider, in the order of the file.
    providers: FxHashMap<String, Provider>,
}

#[derive(Debug, Default)]
struct Provider {
    models: Vec<usize>,
    exact: FxHashMap<String, usize>,
}

/// A model with all its rows.
#[derive(Debug)]
struct Model {
    matcher: Matcher,
    rows: Vec<PriceRow>,
}

impl Layer {
    fn new(name: &str, rows: Vec<PriceRow>) -> Self {
        let mut layer = Self { name: name.to_owned(), models: Vec::new(), providers: FxHashMap::default() };
        let mut known: FxHashMap<(String, String), usize> = FxHashMap::default();
        for row in rows {
            let key = (row.provider.to_lowercase(), row.model.to_lowercase());
            if let Some(model) = known.get(&key).and_then(|i| layer.models.get_mut(*i)) {
                model.rows.push(row);
                continue;
            }
            let index = layer.models.len();
            let clause = row.clause.clone().unwrap_or_else(|| Clause::Equals(row.model.clone()));
            let provider = layer.providers.entry(key.0.clone()).or_default();
            provider.models.push(index);
            for name in clause.exact_names() {
                provider.exact.entry(name.to_lowercase()).or_insert(index);
            }
            layer.models.push(Model { matcher: Matcher::new(&clause), rows: vec![row] });
            known.insert(key, index);
        }
        layer
    }

    /// The model with one of these names: exact names first, then the first in the file whose condition holds.
    fn model(&self, provider: &str, names: &[String]) -> Option<&Model> {
        let provider = self.providers.get(provider)?;
        names.iter().find_map(|name| {
            let exact = provider.exact.get(name).copied();
            let index = exact.or_else(|| {
                provider.models.iter().copied().find(|i| self.models.get(*i).is_some_and(|m| m.matcher.matches(name)))
            })?;
            self.models.get(index)
        })
    }
}

impl Model {
    /// The newest row that is valid then, for the tier; without one for the tier, the usual one.
    fn row(&self, at: Timestamp, tier: Option<&str>) -> Option<&PriceRow> {
        let moment = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
        let (day, time) = (moment.date().to_string(), moment.time());
        let valid = |row: &&PriceRow| {
            row.valid_from.as_ref().is_none_or(|from| *from <= day)
                && row.hours_utc.as_ref().is_none_or(|h| within(h, time))
        };
        let newest = |tier: Option<&str>| {
            self.rows
                .iter()
                .filter(|row| row.tier.as_deref() == tier)
                .filter(valid)
                .max_by_key(|row| (row.valid_from.as_deref(), row.hours_utc.is_some()))
        };
        tier.filter(|tier| *tier != "default" && *tier != "standard")
            .and_then(|tier| newest(Some(tier)))
            .or_else(|| newest(None))
    }
}

/// True if the time lies between the two; over midnight if the second is the earlier one.
fn within([from, to]: &[String; 2], time: jiff::civil::Time) -> bool {
    match (from.parse::<jiff::civil::Time>(), to.parse::<jiff::civil::Time>()) {
        (Ok(from), Ok(to)) if from <= to => from <= time && time < to,
        (Ok(from), Ok(to)) => time >= from || time < to,
        _ => false,
    }
}

fn prices_for(row: &PriceRow, input_tokens: u64) -> Prices {
    let long = row.above.iter().filter(|long| input_tokens > long.input_tokens).max_by_key(|long| long.input_tokens);
    long.map_or(row.prices, |long| long.prices.or(row.prices))
}

/// Tokens times prices, rounded once. `None` if there are tokens of a kind that has no price.
fn amount(prices: Prices, tokens: CallTokens) -> Option<Usd> {
    // Some programs count cached tokens beside the others, as Anthropic's API does; then they can be more than the whole.
    let cached = tokens.cache_read.saturating_add(tokens.cache_creation);
    let fresh = tokens.input.checked_sub(cached).unwrap_or(tokens.input);
    let spoken = tokens.output.saturating_sub(tokens.reasoning);
    let thought = tokens.output - spoken;
    let parts = [
        (fresh, prices.input),
        (tokens.cache_read, prices.cache_read.or(prices.input)),
        (tokens.cache_creation, prices.cache_write.or(prices.input)),
        (spoken, prices.output),
        (thought, prices.reasoning.or(prices.output)),
    ];
    let sum = parts.into_iter().try_fold(0_i128, |sum, (tokens, price)| match (tokens, price) {
        (0, _) => Some(sum),
        (tokens, Some(price)) => sum.checked_add(price.pico().checked_mul(i128::from(tokens))?),
        (_, None) => None,
    })?;
    Some(Usd::from_pico((sum + PER_TOKENS / 2) / PER_TOKENS))
}

#[cfg(test)]
mod tests;
