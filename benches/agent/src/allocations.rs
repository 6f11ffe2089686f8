//! Allocations of each operation, counted on the thread that does it: `cargo run --release -p tokenfall-agent-benches
//! --features comparison --bin tokenfall-agent-allocations`. A program of its own, because counting costs time.
#![expect(clippy::print_stdout, reason = "the figures are the result")]

use agent_overhead::{BATCH, OPERATIONS, Operation, measured};

fn main() {
    let agents = agent_overhead::tokenfall::Agents::start();
    #[cfg(feature = "comparison")]
    let subscribers = agent_overhead::opentelemetry::Subscribers::start();
    println!("allocations and allocated bytes per operation   tokenfall           opentelemetry");
    for name in OPERATIONS {
        let ours = agent_overhead::tokenfall::operation(name, &agents).map(count);
        #[cfg(feature = "comparison")]
        let theirs = agent_overhead::opentelemetry::operation(name, &subscribers).map(count);
        #[cfg(not(feature = "comparison"))]
        let theirs = None;
        println!("  {name:<44}{}{}", shown(ours), shown(theirs));
    }
}

/// Allocations and bytes per operation, from the second batch on.
fn count(mut operation: Box<dyn Operation>) -> (f64, f64) {
    measured(operation.as_mut(), BATCH);
    operation.settle();
    let counted = allocation_counter::measure(|| measured(operation.as_mut(), BATCH));
    let per_operation = |n: u64| n as f64 / f64::from(BATCH);
    (per_operation(counted.count_total), per_operation(counted.bytes_total))
}

fn shown(counted: Option<(f64, f64)>) -> String {
    counted.map_or_else(String::new, |(count, bytes)| format!("{count:>6.2} {bytes:>8.0} B     "))
}
