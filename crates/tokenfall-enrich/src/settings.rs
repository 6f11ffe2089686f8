//! What the user can decide about enrichment.

use std::sync::Arc;

use tokenfall_price::PriceList;

use crate::labels::LabelMap;

/// What labels mean, and what models cost.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Meaning of labels.
    pub labels: LabelMap,
    /// Prices.
    pub prices: Arc<PriceList>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: LabelMap::default(), prices: Arc::new(PriceList::embedded()) }
    }
}
