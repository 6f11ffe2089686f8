//! `azure_app_service_metadata.feature`: what is known of Azure App Service from its environment variables.

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use serde_json::Value;
use tokenfall_agent::AgentBuilder;

use crate::server::{Answer, EVENTS, PATIENCE, Server};

#[derive(cucumber::World, Debug)]
#[world(init = Self::new)]
pub(crate) struct World {
    server: Server,
    builder: AgentBuilder,
    variables: Vec<(String, String)>,
    cloud: Value,
}

impl World {
    fn new() -> Self {
        let server = Server::start();
        // The test may run on a machine of Azure: nobody must ask there.
        server.answer("/metadata/instance/compute", [Answer::status(404)]);
        let variables = vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST".to_owned(), server.url())];
        Self { builder: server.agent(), server, variables, cloud: Value::Null }
    }
}

fn rows(step: &Step) -> impl Iterator<Item = (String, String)> {
    let table = step.table.as_ref().expect("a table");
    table.rows.iter().skip(1).map(|row| (row[0].clone(), row[1].clone()))
}

#[given("an agent configured with")]
fn configured(world: &mut World, step: &Step) {
    for (name, value) in rows(step) {
        world.builder = world.builder.clone().option(name, value);
    }
}

#[given("the following environment variables are present")]
fn variables(world: &mut World, step: &Step) {
    world.variables.extend(rows(step));
}

#[when("cloud metadata is collected")]
fn collected(world: &mut World) {
    let agent = world.builder.clone().environment_variables(world.variables.clone()).start();
    agent.begin_transaction("any", "custom").end();
    assert!(agent.flush(PATIENCE), "the request arrives");
    world.cloud = world.server.requests(EVENTS)[0].lines()[0]["metadata"]["cloud"].clone();
}

#[then("cloud metadata is not null")]
fn is_not_null(world: &mut World) {
    assert!(world.cloud.is_object());
}

#[then("cloud metadata is null")]
fn is_null(world: &mut World) {
    assert_eq!(world.cloud, Value::Null);
}

#[then(regex = "^cloud metadata '(.*)' is '(.*)'$")]
fn fact(world: &mut World, path: String, expected: String) {
    let pointer = format!("/{}", path.replace('.', "/"));
    assert_eq!(world.cloud.pointer(&pointer).and_then(Value::as_str), Some(expected.as_str()));
}
