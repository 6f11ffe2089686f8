//! Numbers as candidates: above and below their quantiles.

use tokenfall_model::Usd;
use tokenfall_model::fields::{self, FieldKind};

use super::candidates::Candidate;

/// Where numbers are cut.
pub const PERCENTS: [f64; 7] = [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0];
/// Most ranges of a number.
pub(super) const PER_NUMBER: usize = 2 * PERCENTS.len();

/// `x < cut` and `x ≥ cut` for each distinct quantile: whatever the shape of the dependence, one of them shows it, unless only
/// the middle is special.
pub fn of(field: &str, percentiles: &[f64]) -> impl Iterator<Item = Candidate> {
    // Between two whole numbers any cut is the same; people read the upper one.
    let is_whole = fields::find(field).is_some_and(|(_, field)| field.kind == FieldKind::Long);
    let cut = |quantile: f64| if is_whole { rounded(quantile).ceil() } else { rounded(quantile) };
    let mut cuts: Vec<f64> = percentiles.iter().map(|quantile| cut(*quantile)).collect();
    cuts.dedup();
    cuts.into_iter()
        .flat_map(|cut| [Candidate::range(field, Some(cut), None), Candidate::range(field, None, Some(cut))])
}

/// With three digits: a quantile is an estimate, and nobody wants to read more.
fn rounded(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let scale = 10_f64.powi(2 - number.abs().log10().floor() as i32);
    if scale >= 1.0 { (number * scale).round() / scale } else { (number * scale).round() * (1.0 / scale).round() }
}

/// The range in words; an amount of money in dollars.
pub(super) fn text(field: &str, from: Option<f64>, to: Option<f64>) -> String {
    let end = |number: f64| match field {
        _ if field == fields::LLM_COST_PICO_USD.name => format!("${}", Usd::from_pico_sum(number)),
        _ => number.to_string(),
    };
    match (from.map(end), to.map(end)) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("≥ {from}"),
        (None, Some(to)) => format!("< {to}"),
        (None, None) => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_each_quantile() {
        let texts: Vec<_> = of("numeric_labels.n", &[1.0, 1.0, 412.3, 99_871.0]).map(|c| c.text()).collect();
        assert_eq!(texts, ["≥ 1", "< 1", "≥ 412", "< 412", "≥ 99900", "< 99900"]);
    }

    #[test]
    fn whole_numbers_are_cut_at_whole_numbers() {
        let texts: Vec<_> = of("tokenfall.llm.generations", &[2.97, 4.01]).map(|c| c.text()).collect();
        assert_eq!(texts, ["≥ 3", "< 3", "≥ 5", "< 5"]);
    }

    #[test]
    fn money_is_in_dollars() {
        let texts: Vec<_> = of("tokenfall.llm.cost_pico_usd", &[4_091_234_567.0]).map(|c| c.text()).collect();
        assert_eq!(texts, ["≥ $0.00409", "< $0.00409"]);
    }

    #[test]
    fn three_digits() {
        for (number, expected) in
            [(0.0, 0.0), (0.001_234_5, 0.001_23), (-98.76, -98.8), (1_234_567.0, 1_230_000.0), (7.0, 7.0)]
        {
            assert!((rounded(number) - expected).abs() < 1e-9, "{number}: {}", rounded(number));
        }
    }
}
