//! Time by span type, summed up for the breakdown metrics.
