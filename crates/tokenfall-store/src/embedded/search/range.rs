//! Documents whose number lies in a range: a scan of the column.
//!
//! Tantivy's own range query is not used: on a JSON number column it takes a bound below the column's type for no bound at all.

use std::fmt;
use std::ops::RangeInclusive;

use tantivy::columnar::{Cardinality, Column, ColumnType, MonotonicallyMappableToU64};
use tantivy::query::{AllScorer, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED};

/// Numbers that are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numbers {
    /// `gte ≤ x < lt`.
    Range {
        /// At least.
        gte: Option<f64>,
        /// Less than.
        lt: Option<f64>,
    },
    /// Exactly this integer.
    Long(i64),
    /// Exactly this number.
    Double(f64),
}

impl Numbers {
    /// The same numbers as they are mapped in a column of a type, both ends included; `None` if there are none.
    pub(super) fn mapped(self, column_type: ColumnType) -> Option<RangeInclusive<u64>> {
        let (min, max) = match column_type {
            ColumnType::F64 => self.doubles()?,
            ColumnType::U64 => {
                let (min, max) = self.integers()?;
                (u64::try_from(min.max(0)).ok()?, u64::try_from(max.min(i128::from(u64::MAX))).ok()?)
            }
            _ => {
                let (min, max) = self.integers()?;
                let (min, max) = (min.max(i128::from(i64::MIN)), max.min(i128::from(i64::MAX)));
                (i64::try_from(min).ok()?.to_u64(), i64::try_from(max).ok()?.to_u64())
            }
        };
        (min <= max).then_some(min..=max)
    }

    /// The numbers as a column of `f64` maps them.
    fn doubles(self) -> Option<(u64, u64)> {
        match self {
            Self::Range { gte, lt } if gte.is_some_and(f64::is_nan) || lt.is_some_and(f64::is_nan) => None,
            Self::Range { gte, lt } => {
                let min = gte.map_or(0, |gte| zero_below(gte).to_u64());
                let max = lt.map_or(Some(u64::MAX), |lt| zero_below(lt).to_u64().checked_sub(1))?;
                Some((min, max))
            }
            Self::Long(n) => Some(double_mapped(n as f64)),
            Self::Double(x) => Some(double_mapped(x)),
        }
    }

    /// The integers among the numbers.
    fn integers(self) -> Option<(i128, i128)> {
        // Casts of floating point numbers saturate, so infinities become the ends.
        match self {
            Self::Range { gte, lt } => {
                if gte.is_some_and(f64::is_nan) || lt.is_some_and(f64::is_nan) {
                    return None;
                }
                let min = gte.map_or(i128::MIN, |gte| gte.ceil() as i128);
                let max = lt.map_or(i128::MAX, |lt| (lt.ceil() as i128).saturating_sub(1));
                Some((min, max))
            }
            Self::Long(n) => Some((i128::from(n), i128::from(n))),
            Self::Double(x) => (x.is_finite() && x.fract() == 0.0).then_some((x as i128, x as i128)),
        }
    }
}

/// The two zeros are equal but not mapped to the same; a bound of zero means the lower one.
fn zero_below(x: f64) -> f64 {
    if x == 0.0 { -0.0 } else { x }
}

fn double_mapped(x: f64) -> (u64, u64) {
    if x == 0.0 { ((-0.0_f64).to_u64(), 0.0_f64.to_u64()) } else { (x.to_u64(), x.to_u64()) }
}

/// Matches documents with a number in a column.
#[derive(Clone, Debug)]
pub(super) struct NumberQuery {
    /// Name of the column.
    pub(super) column: String,
    /// Numbers that match.
    pub(super) numbers: Numbers,
}

impl Query for NumberQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for NumberQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let types = [ColumnType::I64, ColumnType::U64, ColumnType::F64];
        let Some((column, column_type)) = reader.fast_fields().u64_lenient_for_type(Some(&types), &self.column)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let Some(range) = self.numbers.mapped(column_type) else { return Ok(Box::new(EmptyScorer)) };
        let (min, max) = (column.min_value(), column.max_value());
        if *range.start() > max || *range.end() < min {
            return Ok(Box::new(EmptyScorer));
        }
        if range.contains(&min) && range.contains(&max) && column.get_cardinality() == Cardinality::Full {
            return Ok(Box::new(AllScorer::new(reader.max_doc())));
        }
        Ok(Box::new(ConstScorer::new(InRange::new(column, range, reader.max_doc()), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("number in range", 1.0))
    }
}

/// Documents whose value lies in a range, found window by window.
struct InRange {
    column: Column<u64>,
    range: RangeInclusive<u64>,
    max_doc: DocId,
    /// Matches in the current window.
    found: Vec<DocId>,
    next: usize,
    doc: DocId,
    /// First document after the current window.
    scanned: DocId,
    /// Length of the next window: small after a jump, growing while read in sequence.
    window: u32,
}

impl fmt::Debug for InRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InRange").field("range", &self.range).field("doc", &self.doc).finish_non_exhaustive()
    }
}

impl InRange {
    const WINDOW_MIN: u32 = 64;
    const WINDOW_MAX: u32 = 16_384;

    fn new(column: Column<u64>, range: RangeInclusive<u64>, max_doc: DocId) -> Self {
        let mut docs =
            Self { column, range, max_doc, found: Vec::new(), next: 0, doc: 0, scanned: 0, window: Self::WINDOW_MIN };
        docs.scan();
        docs
    }

    /// Goes to the first match from `scanned` on.
    fn scan(&mut self) {
        self.next = 0;
        self.found.clear();
        while self.found.is_empty() && self.scanned < self.max_doc {
            let end = self.max_doc.min(self.scanned.saturating_add(self.window));
            self.column.get_docids_for_value_range(self.range.clone(), self.scanned..end, &mut self.found);
            self.found.dedup();
            self.scanned = end;
            self.window = (self.window * 2).min(Self::WINDOW_MAX);
        }
        self.doc = self.found.first().copied().unwrap_or(TERMINATED);
    }
}

impl DocSet for InRange {
    fn advance(&mut self) -> DocId {
        self.next += 1;
        match self.found.get(self.next) {
            Some(doc) => self.doc = *doc,
            None => self.scan(),
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if target <= self.doc {
            return self.doc;
        }
        if target >= self.scanned {
            if target > self.scanned.saturating_add(self.window) {
                self.window = Self::WINDOW_MIN;
            }
            self.scanned = target.min(self.max_doc);
            self.scan();
            return self.doc;
        }
        self.next += self.found.get(self.next..).map_or(0, |rest| rest.partition_point(|doc| *doc < target));
        match self.found.get(self.next) {
            Some(doc) => self.doc = *doc,
            None => self.scan(),
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        // The column says nothing about how many match; as a scan is dearer than postings, others should lead.
        self.max_doc
    }

    fn cost(&self) -> u64 {
        u64::from(self.max_doc) * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numbers: Numbers, column_type: ColumnType, expect: Option<(u64, u64)>) {
        assert_eq!(numbers.mapped(column_type).map(|r| (*r.start(), *r.end())), expect, "{numbers:?} {column_type:?}");
    }

    #[test]
    fn bounds_are_mapped_to_the_type_of_the_column() {
        let range = |gte, lt| Numbers::Range { gte, lt };
        check(range(Some(1.5), Some(3.0)), ColumnType::I64, Some((2_i64.to_u64(), 2_i64.to_u64())));
        check(range(None, Some(-1.0)), ColumnType::U64, None);
        check(range(None, Some(-1e300)), ColumnType::I64, None);
        check(range(Some(1e300), None), ColumnType::I64, None);
        check(range(Some(-1e300), Some(1e300)), ColumnType::I64, Some((0, u64::MAX)));
        check(range(Some(f64::NAN), None), ColumnType::I64, None);
        check(range(Some(2.0), Some(2.0)), ColumnType::F64, None);
        check(range(Some(0.0), None), ColumnType::F64, Some(((-0.0_f64).to_u64(), u64::MAX)));
        check(Numbers::Double(2.5), ColumnType::I64, None);
        check(Numbers::Double(2.0), ColumnType::U64, Some((2, 2)));
        check(Numbers::Long(-2), ColumnType::U64, None);
    }
}
