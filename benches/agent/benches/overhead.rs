//! Nanoseconds of each operation, for exploration: `cargo bench -p tokenfall-agent-benches --features comparison`.
#![expect(missing_docs, reason = "criterion's macros make public functions")]

use std::time::{Duration, Instant};

use agent_overhead::opentelemetry::Subscribers;
use agent_overhead::tokenfall::Agents;
use agent_overhead::{BATCH, OPERATIONS, Operation, measured};
use criterion::{Criterion, criterion_group, criterion_main};

fn overhead(criterion: &mut Criterion) {
    let (agents, subscribers) = (Agents::start(), Subscribers::start());
    for name in OPERATIONS {
        let mut group = criterion.benchmark_group(name);
        let both = [
            ("tokenfall", agent_overhead::tokenfall::operation(name, &agents)),
            ("opentelemetry", agent_overhead::opentelemetry::operation(name, &subscribers)),
        ];
        for (path, operation) in both {
            let Some(mut operation) = operation else { continue };
            group.bench_function(path, |bencher| bencher.iter_custom(|n| batches(operation.as_mut(), n)));
        }
        group.finish();
    }
}

/// Time of `n` operations, without what lies between the batches.
fn batches(operation: &mut dyn Operation, n: u64) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let batch = left.min(u64::from(BATCH)) as u32;
        let start = Instant::now();
        measured(operation, batch);
        time += start.elapsed();
        operation.settle();
        left -= u64::from(batch);
    }
    time
}

criterion_group!(benches, overhead);
criterion_main!(benches);
