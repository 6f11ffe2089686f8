//! `user_agent.feature`: who the agent says it is in the header of its requests.

use std::path::Path;

use cucumber::codegen::Regex;
use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use tokenfall_agent::{Agent, AgentBuilder};

use crate::server::{EVENTS, PATIENCE, Server};

#[derive(cucumber::World, Debug)]
#[world(init = Self::new)]
pub(crate) struct World {
    server: Server,
    builder: AgentBuilder,
    agent: Agent,
}

impl World {
    fn new() -> Self {
        let server = Server::start();
        Self { builder: server.agent(), server, agent: Agent::disabled() }
    }
}

#[given("an agent")]
fn agent(world: &mut World) {
    world.agent = world.builder.clone().start();
}

#[given("an agent configured with")]
fn configured(world: &mut World, step: &Step) {
    let table = step.table.as_ref().expect("a table of settings");
    for row in table.rows.iter().skip(1) {
        world.builder = world.builder.clone().option(&row[0], &row[1]);
    }
    agent(world);
}

#[when("the agent sends a request to APM server")]
fn sends(world: &mut World) {
    world.agent.begin_transaction("any", "custom").end();
    assert!(world.agent.flush(PATIENCE), "the request arrives");
}

#[then(regex = "^the User-Agent header of the request matches regex '(.*)'$")]
fn matches(world: &mut World, pattern: String) {
    let pattern = Regex::new(&pattern).expect("a pattern");
    let requests = world.server.wait_for_requests(EVENTS, 1);
    let header = requests[0].header("user-agent");
    assert!(pattern.is_match(header), "{header}");
}

/// The feature as the parser of the crate `cucumber` wants it: it refuses a backslash in a table that escapes nothing, which
/// Gherkin takes for itself.
pub(crate) fn for_the_parser(features: &Path) -> tempfile::TempDir {
    const NAME: &str = "user_agent.feature";
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(features.join(NAME)).expect("the feature");
    let lines = text
        .lines()
        .map(|line| if line.trim_start().starts_with('|') { line.replace('\\', "\\\\") } else { line.to_owned() });
    std::fs::write(folder.path().join(NAME), lines.collect::<Vec<_>>().join("\n")).expect("written");
    folder
}
