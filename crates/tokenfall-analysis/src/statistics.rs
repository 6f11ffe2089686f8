//! Formulas, without anything that knows where the numbers come from. Each names its source.

pub mod regression;

pub(crate) mod sample;
