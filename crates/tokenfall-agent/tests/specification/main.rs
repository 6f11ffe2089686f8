//! The features of Elastic's agent specification, run as scenarios. `make test` counts the last line.

use std::fmt::Debug;
use std::path::Path;
use std::process::ExitCode;

use cucumber::codegen::WorldInventory;
use cucumber::writer::Stats as _;
use cucumber::{World, WriterExt as _};

#[expect(clippy::needless_pass_by_value, reason = "steps get the words of the feature by value")]
mod azure_app_service;
#[expect(clippy::needless_pass_by_value, reason = "steps get the words of the feature by value")]
mod otel_bridge;
#[allow(dead_code, reason = "every feature uses another part")]
#[path = "../it/server.rs"]
mod server;
#[expect(clippy::needless_pass_by_value, reason = "steps get the words of the feature by value")]
mod user_agent;

/// Scenarios that passed and failed.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    async fn run<W: World + WorldInventory + Debug>(&mut self, features: &Path, name: &str) {
        let writer = W::cucumber()
            .with_writer(cucumber::writer::Basic::stdout().summarized())
            .max_concurrent_scenarios(8)
            .fail_on_skipped()
            .with_default_cli()
            .run(features.join(name))
            .await;
        let stats = writer.scenarios_stats();
        self.passed += stats.passed;
        self.failed += stats.failed + writer.parsing_errors();
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the line is what the test runner counts")]
async fn main() -> ExitCode {
    let mut counts = Counts::default();
    if let Some(fixtures) = tokenfall_testkit::elastic_fixtures("specification") {
        let features = fixtures.join("agent-specs/gherkin-specs");
        counts.run::<azure_app_service::World>(&features, "azure_app_service_metadata.feature").await;
        counts.run::<otel_bridge::World>(&features, "otel_bridge.feature").await;
        counts.run::<user_agent::World>(user_agent::for_the_parser(&features).path(), "user_agent.feature").await;
    }
    let Counts { passed, failed } = counts;
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
