//! Formulas, without anything that knows where the numbers come from. Each names its source.

pub mod regression;

pub(crate) mod false_discovery;
pub(crate) mod fisher;
pub(crate) mod mann_whitney;
pub(crate) mod sample;
pub(crate) mod special;
