//! Made-up transactions with a few causes of slowness or failure among fields that mean nothing.

use tokenfall_analysis::correlations::{COUNT_MIN, Candidate, LatencyRanges, PERCENTS, percents, ranges_of};
use tokenfall_query::Table;

use crate::payload::scramble;

/// Distinct values of the text fields, again and again.
const CARDINALITIES: [usize; 8] = [2, 3, 5, 10, 30, 100, 500, 2_000];
/// Text fields that mean nothing, apart from those with a cause.
const TEXTS: usize = 30;
/// Numeric fields that mean nothing, apart from one with a cause.
const NUMBERS: usize = 5;
/// Most values of a field that are looked at.
const VALUES: usize = 100;
/// Fewest transactions with a cause.
const CAUSE_COUNT_MIN: usize = 60;

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Explained {
    /// Durations.
    Latency,
    /// Failure.
    Failures,
    /// The slowest tenth.
    Slowest,
}

/// Numbers that look random, the same for each seed.
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(scramble(seed))
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scramble(self.0) as f64 / u64::MAX as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.unit() * end as f64) as usize).min(end - 1)
    }

    fn is(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// About normal: the sum of twelve, less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A field of every transaction.
enum Column {
    Text(Vec<usize>),
    Number(Vec<f64>),
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It is this cause.
    Cause(usize),
    /// It was made to go along with a cause most of the time.
    Beside,
    /// It means nothing.
    Nothing,
}

/// Transactions with known causes.
pub(crate) struct Scenario {
    /// What is explained.
    pub(crate) explained: Explained,
    /// How much each cause matters: factor of the duration, or points of the failure rate.
    pub(crate) causes: Vec<f64>,
    columns: Vec<(String, Column)>,
    /// Field and value of each cause; a number has no value.
    planted: Vec<(String, Option<usize>, usize)>,
    beside: Vec<String>,
    durations: Vec<f64>,
    failed: Vec<bool>,
}

impl Scenario {
    /// Makes one up. `causes` is their number.
    pub(crate) fn new(random: &mut Random, explained: Explained, causes: usize) -> Self {
        let transactions = (2_000.0 * 15_f64.powf(random.unit())) as usize;
        let spread = random.between(0.3, 0.9);
        let heavy_tail = random.is(0.5);
        let base_rate = random.between(0.02, 0.08);
        let durations = (0..transactions).map(|_| {
            let tail = if heavy_tail && random.is(0.02) { random.unit().max(1e-3).powf(-1.0) } else { 1.0 };
            1e6 * (spread * random.normal()).exp() * tail
        });
        let durations = durations.collect();
        let mut made = Self {
            explained,
            causes: Vec::new(),
            columns: Vec::new(),
            planted: Vec::new(),
            beside: Vec::new(),
            durations,
            failed: Vec::new(),
        };
        let mut rates = vec![base_rate; transactions];
        for cause in 0..causes {
            made.plant(random, cause, &mut rates);
        }
        made.failed = rates.iter().map(|rate| random.is(*rate)).collect();
        for field in 0..TEXTS {
            let values = skewed(random, transactions, CARDINALITIES[field % CARDINALITIES.len()]);
            made.columns.push((format!("labels.text_{field:02}"), Column::Text(values)));
        }
        for field in 0..NUMBERS {
            let numbers = (0..transactions).map(|_| (2.0 * random.normal()).exp().round()).collect();
            made.columns.push((format!("numeric_labels.number_{field}"), Column::Number(numbers)));
        }
        made
    }

    /// Adds a field with a value, or large numbers, that make transactions slow or fail.
    fn plant(&mut self, random: &mut Random, cause: usize, rates: &mut [f64]) {
        let transactions = self.durations.len();
        let size = match self.explained {
            Explained::Latency | Explained::Slowest => random.between(1.5, 4.0),
            Explained::Failures => random.between(0.1, 0.5),
        };
        self.causes.push(size);
        let strength: Vec<f64> = if random.is(0.2) {
            let field = format!("numeric_labels.cause_{cause}");
            let numbers: Vec<f64> = (0..transactions).map(|_| (1_000.0 * random.unit()).round()).collect();
            let strength = numbers.iter().map(|n| n / 1_000.0).collect();
            self.planted.push((field.clone(), None, cause));
            self.columns.push((field, Column::Number(numbers)));
            strength
        } else {
            let field = format!("labels.cause_{cause}");
            let share = random.between(0.01, 0.3).max(CAUSE_COUNT_MIN as f64 * 1.3 / transactions as f64);
            let cardinality = CARDINALITIES[random.below(7)];
            let mut values = skewed(random, transactions, cardinality);
            // The planted value is one more.
            for value in &mut values {
                if random.is(share) {
                    *value = cardinality;
                }
            }
            let strength = values.iter().map(|value| f64::from(u8::from(*value == cardinality))).collect();
            self.planted.push((field.clone(), Some(cardinality), cause));
            if random.is(0.5) {
                let name = format!("labels.cause_{cause}_hash");
                self.planted.push((name.clone(), Some(cardinality), cause));
                self.columns.push((name, Column::Text(values.clone())));
            }
            if random.is(0.25) {
                let name = format!("labels.cause_{cause}_beside");
                let noisy = values.iter().map(|v| if random.is(0.7) { *v } else { random.below(cardinality + 1) });
                self.beside.push(name.clone());
                self.columns.push((name, Column::Text(noisy.collect())));
            }
            self.columns.push((field, Column::Text(values)));
            strength
        };
        for ((duration, rate), strength) in self.durations.iter_mut().zip(rates).zip(strength) {
            match self.explained {
                Explained::Latency | Explained::Slowest => *duration *= 1.0 + (size - 1.0) * strength,
                Explained::Failures => *rate = (*rate + size * strength).min(1.0),
            }
        }
    }

    /// What a finding is.
    pub(crate) fn truth(&self, candidate: &Candidate) -> Truth {
        let is_planted = |(field, value, _): &&(String, Option<usize>, usize)| {
            *field == candidate.field && value.is_none_or(|value| name(value) == candidate.text())
        };
        if let Some((_, _, cause)) = self.planted.iter().find(is_planted) {
            return Truth::Cause(*cause);
        }
        if self.beside.contains(&candidate.field) { Truth::Beside } else { Truth::Nothing }
    }

    /// Ranges of the durations, from their percentiles.
    pub(crate) fn ranges(&self) -> LatencyRanges {
        LatencyRanges::of(&percentiles(&self.durations, &percents()))
    }

    /// The column of the table that each transaction is in, and their number.
    fn table_columns(&self, ranges: &LatencyRanges) -> (Vec<usize>, usize) {
        let slowest = percentiles(&self.durations, &[90.0])[0];
        let column = |i: usize| match self.explained {
            Explained::Latency => ranges.cuts.partition_point(|cut| *cut <= self.durations[i]),
            Explained::Failures => usize::from(!self.failed[i]),
            Explained::Slowest => usize::from(self.durations[i] < slowest),
        };
        let columns = if self.explained == Explained::Latency { ranges.cuts.len() + 1 } else { 2 };
        ((0..self.durations.len()).map(column).collect(), columns)
    }

    /// The transactions that have a candidate.
    fn having(&self, candidate: &Candidate) -> Vec<bool> {
        let values = self.columns.iter().find(|(field, _)| *field == candidate.field).map(|(_, values)| values);
        let (from, to) = candidate.bounds.unwrap_or_default();
        let text = candidate.text();
        match values {
            Some(Column::Text(values)) => values.iter().map(|value| name(*value) == text).collect(),
            Some(Column::Number(numbers)) => numbers.iter().map(|number| is_inside(*number, from, to)).collect(),
            None => vec![false; self.durations.len()],
        }
    }

    /// The table of some candidates, of the transactions without another.
    pub(crate) fn table_without(&self, ranges: &LatencyRanges, candidates: &[&Candidate], other: &Candidate) -> Table {
        let (column, columns) = self.table_columns(ranges);
        let is_left_out = self.having(other);
        let count = |has: &[bool]| {
            let mut counts = vec![0; columns];
            for ((has, left_out), column) in has.iter().zip(&is_left_out).zip(&column) {
                counts[*column] += u64::from(*has && !left_out);
            }
            counts
        };
        let rows = candidates.iter().map(|candidate| count(&self.having(candidate))).collect();
        Table { all: count(&vec![true; column.len()]), rows }
    }

    /// The candidates and their table, as the store would count them.
    pub(crate) fn table(&self, ranges: &LatencyRanges) -> (Vec<Candidate>, Table) {
        let (column, columns) = self.table_columns(ranges);
        let mut candidates = Vec::new();
        let mut table = Table::empty(0, columns);
        for column in &column {
            table.all[*column] += 1;
        }
        for (field, values) in &self.columns {
            match values {
                Column::Text(values) => {
                    let mut counts = vec![vec![0_u64; columns]; values.iter().max().map_or(0, |max| max + 1)];
                    for (value, column) in values.iter().zip(&column) {
                        counts[*value][*column] += 1;
                    }
                    let mut counts: Vec<(usize, Vec<u64>)> = counts.into_iter().enumerate().collect();
                    counts.retain(|(_, row)| row.iter().sum::<u64>() >= COUNT_MIN);
                    counts.sort_by_key(|(_, row)| std::cmp::Reverse(row.iter().sum::<u64>()));
                    for (value, row) in counts.into_iter().take(VALUES) {
                        candidates.push(Candidate::value(field, name(value).into()));
                        table.rows.push(row);
                    }
                }
                Column::Number(numbers) => {
                    for candidate in ranges_of(field, &percentiles(numbers, &PERCENTS)) {
                        let (from, to) = candidate.bounds.unwrap_or_default();
                        let mut row = vec![0; columns];
                        for (number, column) in numbers.iter().zip(&column) {
                            row[*column] += u64::from(is_inside(*number, from, to));
                        }
                        candidates.push(candidate);
                        table.rows.push(row);
                    }
                }
            }
        }
        (candidates, table)
    }
}

fn is_inside(number: f64, from: Option<f64>, to: Option<f64>) -> bool {
    from.is_none_or(|from| number >= from) && to.is_none_or(|to| number < to)
}

fn name(value: usize) -> String {
    format!("value {value}")
}

/// Values of which the small ones are more frequent.
fn skewed(random: &mut Random, transactions: usize, cardinality: usize) -> Vec<usize> {
    let skew = random.between(1.0, 3.0);
    (0..transactions).map(|_| ((random.unit().powf(skew) * cardinality as f64) as usize).min(cardinality - 1)).collect()
}

fn percentiles(values: &[f64], percents: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    percents.iter().map(|percent| sorted[(percent / 100.0 * (sorted.len() - 1) as f64).round() as usize]).collect()
}
