//! The operations that are measured: the same for the agent and for OpenTelemetry.
//!
//! An operation is done in batches that fit into one transaction and into the queues of both, and what it left behind is
//! taken off between the batches, outside of the measured time. Otherwise a loop would soon measure how cheap it is to
//! drop.

#[cfg(feature = "comparison")]
pub mod opentelemetry;
pub mod tokenfall;

/// Operations in a batch: fewer than `transaction_max_spans` (500).
pub const BATCH: u32 = 400;

/// One kind of work, measured in batches of [`BATCH`].
pub trait Operation {
    /// Does it `n` times.
    fn run(&mut self, n: u32);

    /// Takes off what was left behind and begins anew. Not measured.
    fn settle(&mut self);
}

/// Names of the operations, in the order in which they are shown.
pub const OPERATIONS: [&str; 9] = [
    "disabled span",
    "disabled transaction",
    "unsampled span",
    "unsampled transaction",
    "token",
    "span",
    "span with 3 labels",
    "label",
    "transaction",
];

/// Runs `n` operations. A function of its own, so that callgrind can count what happens inside of it and nothing else.
#[inline(never)]
pub fn measured(operation: &mut dyn Operation, n: u32) {
    operation.run(n);
}
