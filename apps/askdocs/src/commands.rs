//! What the command line does.

pub mod ask;
pub mod evaluate;
pub mod index;
pub mod model;
pub mod serve;
