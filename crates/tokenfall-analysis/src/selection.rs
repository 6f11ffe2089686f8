//! A part of a chart that somebody drew a box around.

use tokenfall_api::llm::PointOf;

/// Which model calls or transactions a question is about; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What `tokens` and `duration_us` are of.
    pub of: PointOf,
    /// Service.
    pub service: Option<String>,
    /// Model; of transactions, that one of their calls asked it does not matter.
    pub model: Option<String>,
    /// Name of the transactions.
    pub name: Option<String>,
    /// Type of the transactions.
    pub transaction_type: Option<String>,
    /// A field and the value that it must have, labels included.
    pub field: Option<(String, String)>,
    /// Durations in microseconds, `from ≤ d < to`.
    pub duration_us: (Option<u64>, Option<u64>),
    /// Tokens of the answer, `from ≤ n < to`.
    pub tokens: (Option<u64>, Option<u64>),
}

impl Selection {
    /// True if a box was drawn, so that some of the points are in it and others are not.
    pub fn has_box(&self) -> bool {
        [self.duration_us, self.tokens].iter().any(|(from, to)| from.is_some() || to.is_some())
    }

    /// The same without the box.
    #[must_use]
    pub fn without_box(&self) -> Self {
        Self { duration_us: (None, None), tokens: (None, None), ..self.clone() }
    }
}
