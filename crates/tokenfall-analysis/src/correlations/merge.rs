//! Fields that say the same become one correlation.

use tokenfall_api::correlations::{Correlation, FieldAndValue};
use tokenfall_model::fields;

/// Puts candidates that the very same transactions have together; `is_same` compares them by their positions.
pub(super) fn same_sets(
    correlations: Vec<(usize, Correlation)>,
    is_same: impl Fn(usize, usize) -> bool,
) -> Vec<Correlation> {
    let mut groups: Vec<(usize, Vec<Correlation>)> = Vec::new();
    for (position, correlation) in correlations {
        match groups.iter_mut().find(|(first, _)| is_same(*first, position)) {
            Some((_, group)) => group.push(correlation),
            None => groups.push((position, vec![correlation])),
        }
    }
    groups.into_iter().filter_map(|(_, group)| merged(group)).collect()
}

/// The one that is easiest to understand, with the others beside it.
fn merged(mut group: Vec<Correlation>) -> Option<Correlation> {
    group.sort_by_key(|c| (rank(c), c.field.clone()));
    let mut group = group.into_iter();
    let mut first = group.next()?;
    first.same_as = group.map(|c| FieldAndValue { field: c.field, value: c.value }).collect();
    Some(first)
}

/// What the application says about itself before what was derived from it, words before codes, values before ranges.
fn rank(correlation: &Correlation) -> (bool, bool, bool) {
    let is_range = correlation.from.is_some() || correlation.to.is_some();
    let is_label = correlation.field.starts_with(fields::LABELS);
    (is_range, !correlation.value.contains(' '), !is_label)
}

#[cfg(test)]
mod tests {
    use tokenfall_api::correlations::Impact;

    use super::*;

    fn correlation(field: &str, value: &str) -> Correlation {
        Correlation {
            field: field.into(),
            value: value.into(),
            from: None,
            to: None,
            same_as: Vec::new(),
            count: 1,
            selected_count: 1,
            selected_share: 0.0,
            baseline_share: 0.0,
            score: 0.0,
            kibana_p: None,
            impact: Impact::Low,
            p: 0.0,
            q: 0.0,
            is_significant: true,
            effect_us: None,
            effect_usd: None,
            effect_failure_points: None,
            distribution: Vec::new(),
        }
    }

    #[test]
    fn words_stand_for_their_code() {
        let found = vec![
            correlation("labels.query_hash", "a81f"),
            correlation("labels.team", "search"),
            correlation("tokenfall.question", "How do I mount an index?"),
            correlation("labels.query", "How do I mount an index?"),
        ];
        let merged = same_sets(found.into_iter().enumerate().collect(), |a, b| a != 1 && b != 1);
        let names: Vec<_> = merged.iter().map(|c| c.field.as_str()).collect();
        assert_eq!(names, ["labels.query", "labels.team"]);
        let same: Vec<_> = merged[0].same_as.iter().map(|same| same.field.as_str()).collect();
        assert_eq!(same, ["tokenfall.question", "labels.query_hash"]);
        assert!(merged[1].same_as.is_empty());
    }
}
