//! From the value of a column to the ranges that it lies in.

use std::ops::{Range, RangeInclusive};

/// Cuts the values of a column where one of some ranges begins or ends. What lies between two cuts is a cell: the values of one cell
/// are in the same ranges, and a range is a run of cells.
pub(super) struct Cells {
    /// First values of the cells, ascending; what is before the first is cell 0.
    cuts: Vec<u64>,
    /// Cell of each value from `first` on, if the cuts lie close together; what is beyond the end is in the last cell.
    dense: Option<Dense>,
}

struct Dense {
    first: u64,
    cells: Vec<u16>,
}

impl Dense {
    /// Longest table.
    const LEN_MAX: u64 = 1 << 16;

    fn new(cuts: &[u64]) -> Option<Self> {
        let first = cuts.first()?.saturating_sub(1);
        let last = *cuts.last()?;
        if last - first >= Self::LEN_MAX || cuts.len() >= usize::from(u16::MAX) {
            return None;
        }
        let mut cell = 0;
        let cells = (first..=last)
            .map(|value| {
                cell += usize::from(cuts.get(cell) == Some(&value));
                cell as u16
            })
            .collect();
        Some(Self { first, cells })
    }
}

impl Cells {
    /// Cells of some ranges.
    pub(super) fn new<'a>(ranges: impl Iterator<Item = &'a RangeInclusive<u64>>) -> Self {
        let mut cuts: Vec<u64> =
            ranges.flat_map(|range| [Some(*range.start()), range.end().checked_add(1)]).flatten().collect();
        cuts.sort_unstable();
        cuts.dedup();
        Self { dense: Dense::new(&cuts), cuts }
    }

    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.cuts.len() + 1
    }

    /// The cells of one of the ranges.
    pub(super) fn of(&self, range: &RangeInclusive<u64>) -> Range<usize> {
        let end = range.end().checked_add(1).map_or(self.len(), |end| self.sorted(end));
        self.sorted(*range.start())..end
    }

    /// Calls `visit` with the position and the cell of each value.
    pub(super) fn each(&self, pairs: impl Iterator<Item = (u32, u64)>, mut visit: impl FnMut(u32, usize)) {
        match &self.dense {
            Some(Dense { first, cells }) => {
                let last = cells.len() - 1;
                for (position, value) in pairs {
                    let index = (value.saturating_sub(*first) as usize).min(last);
                    visit(position, usize::from(cells[index]));
                }
            }
            None => pairs.for_each(|(position, value)| visit(position, self.sorted(value))),
        }
    }

    fn sorted(&self, value: u64) -> usize {
        self.cuts.partition_point(|cut| *cut <= value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ranges: &[RangeInclusive<u64>]) {
        let cells = Cells::new(ranges.iter());
        let near = ranges.iter().flat_map(|range| [*range.start(), *range.end()]);
        for value in near.flat_map(|end| [end.saturating_sub(1), end, end.saturating_add(1)]).chain([0, u64::MAX]) {
            let mut found = Vec::new();
            cells.each(std::iter::once((7, value)), |position, cell| found.push((position, cell)));
            assert_eq!((found.len(), found[0].0), (1, 7));
            for range in ranges {
                assert_eq!(cells.of(range).contains(&found[0].1), range.contains(&value), "{value} in {range:?}");
            }
        }
    }

    #[test]
    fn a_value_is_in_the_cells_of_its_ranges() {
        check(&[]);
        check(&[3..=3, 9..=9, 4..=4, 3..=3]);
        check(&[0..=0, 5..=100, 50..=70_000, 60..=60]);
        check(&[0..=u64::MAX, 10..=u64::MAX, 1 << 40..=1 << 50, u64::MAX..=u64::MAX]);
        check(&[1 << 60..=(1 << 60) + 5]);
    }
}
