//! Nanoseconds per operation, on one thread and on two that work at the same time.
//!
//! The paths take turns within a run, so that other work on the machine hits both alike. Shown is the median of the batches,
//! and beside it what reading the clock once costs: a span cannot cost less than twice that.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use agent_overhead::{BATCH, OPERATIONS, Operation, measured};

use crate::{Make, paths};

/// Batches of one operation and path on each thread.
const ROUNDS: usize = 300;

pub(crate) fn run() {
    let paths = paths();
    println!("one reading of the clock: {:.0} ns", clock());
    println!("ns per operation        threads   tokenfall   opentelemetry   times cheaper");
    for name in OPERATIONS {
        for threads in [1, 2] {
            let medians = measure(name, threads, &paths);
            print!("  {name:<24}{threads:>5}");
            for median in &medians {
                print!("{median:>12.0}");
            }
            if let [ours, theirs] = medians.as_slice() {
                print!("{:>20.1}", theirs / ours);
            }
            println!();
        }
    }
}

fn clock() -> f64 {
    median((0..ROUNDS).map(|_| {
        let start = Instant::now();
        for _ in 0..BATCH {
            black_box(Instant::now());
        }
        start.elapsed().as_nanos() as f64 / f64::from(BATCH)
    }))
}

/// Medians of the paths.
fn measure(name: &str, threads: usize, paths: &[(&'static str, Make)]) -> Vec<f64> {
    let barrier = Barrier::new(threads);
    let times: Vec<Vec<Vec<f64>>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| batches(name, paths, &barrier))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    (0..paths.len()).map(|path| median(times.iter().flat_map(|of_thread| of_thread[path].iter().copied()))).collect()
}

/// Nanoseconds per operation of every batch, by path.
fn batches(name: &str, paths: &[(&'static str, Make)], barrier: &Barrier) -> Vec<Vec<f64>> {
    let mut operations: Vec<Box<dyn Operation>> = paths.iter().filter_map(|(_, make)| make(name)).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); operations.len()];
    for _ in 0..ROUNDS {
        for (operation, times) in operations.iter_mut().zip(&mut times) {
            // The threads begin together.
            barrier.wait();
            let start = Instant::now();
            measured(operation.as_mut(), BATCH);
            times.push(start.elapsed().as_nanos() as f64 / f64::from(BATCH));
            operation.settle();
        }
    }
    times
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
