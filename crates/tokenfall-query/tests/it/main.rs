//! Tests of the query language.

mod arbitrary;
mod merging;
mod naive;
