//! Metrics of the process and the system.
