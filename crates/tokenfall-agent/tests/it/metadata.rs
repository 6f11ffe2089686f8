//! Who the agent says it is.

use serde_json::{Value, json};
use tokenfall_agent::AgentBuilder;

use crate::server::{Answer, EVENTS, PATIENCE, Server};

fn metadata(server: &Server, builder: AgentBuilder) -> Value {
    let agent = builder.start();
    agent.begin_transaction("t", "custom").end();
    assert!(agent.flush(PATIENCE));
    server.requests(EVENTS).pop().expect("a request").lines()[0]["metadata"].clone()
}

#[test]
fn process_and_system_are_named() {
    let server = Server::start();
    let metadata = metadata(&server, server.agent().service_node_name("n1").option("hostname", "box"));
    assert_eq!(metadata["service"]["node"]["configured_name"], "n1");
    assert_eq!(metadata["service"]["language"]["name"], "rust");
    assert_eq!(metadata["process"]["pid"], std::process::id());
    assert!(metadata["process"]["title"].as_str().is_some_and(|title| title.starts_with("it")), "{metadata}");
    assert_eq!(metadata["process"].get("argv"), None, "arguments can hold secrets");
    assert_eq!(metadata["system"]["configured_hostname"], "box");
    assert_eq!(metadata["system"]["architecture"], std::env::consts::ARCH);
    assert_eq!(metadata["system"]["platform"], std::env::consts::OS);
    assert_eq!(metadata.get("cloud"), None);
}

#[test]
fn long_and_strange_texts_fit_the_protocol() {
    let server = Server::start();
    let builder =
        server.agent().service_name("my/service!").environment("e".repeat(2000)).label("a.b\"*", "x".repeat(2000));
    let metadata = metadata(&server, builder);
    assert_eq!(metadata["service"]["name"], "my_service_");
    assert_eq!(metadata["service"]["environment"].as_str().map(|text| text.chars().count()), Some(1024));
    assert_eq!(metadata["labels"]["a_b__"].as_str().map(|text| text.chars().count()), Some(1024));
}

#[test]
fn virtual_machines_are_known_from_their_provider() {
    let provider = Server::start();
    provider.answer("/latest/api/token", [Answer::Status(200, Vec::new(), "TOKEN".to_owned())]);
    provider.answer(
        "/latest/dynamic/instance-identity/document",
        [Answer::json(
            200,
            json!({"accountId": "946960629917", "availabilityZone": "us-east-2a", "instanceId": "i-0ae8",
                   "instanceType": "t2.medium", "region": "us-east-2"}),
        )],
    );
    provider.answer(
        "/computeMetadata/v1/",
        [Answer::json(
            200,
            json!({"instance": {"id": 4_306_570_268_266_786_072_u64, "name": "vm",
                                "machineType": "projects/513326162531/machineTypes/n1-standard-1",
                                "zone": "projects/513326162531/zones/us-west3-a"},
                   "project": {"numericProjectId": 513_326_162_531_u64, "projectId": "elastic-apm"}}),
        )],
    );
    provider.answer(
        "/metadata/instance/compute",
        [Answer::json(
            200,
            json!({"location": "westus2", "name": "basepi-test", "resourceGroupName": "basepi-testing",
                   "subscriptionId": "7657426d", "vmId": "e11ebedc", "vmSize": "Standard_D2s_v3", "zone": ""}),
        )],
    );
    for (name, variable, address, expected) in [
        (
            "aws",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            provider.url(),
            json!({"provider": "aws", "account": {"id": "946960629917"}, "instance": {"id": "i-0ae8"},
                   "availability_zone": "us-east-2a", "machine": {"type": "t2.medium"}, "region": "us-east-2",
                   "service": {"name": "ec2"}}),
        ),
        (
            "gcp",
            "GCE_METADATA_HOST",
            provider.address().to_string(),
            json!({"provider": "gcp", "instance": {"id": "4306570268266786072", "name": "vm"},
                   "project": {"id": "elastic-apm"}, "availability_zone": "us-west3-a", "region": "us-west3",
                   "machine": {"type": "n1-standard-1"}}),
        ),
        (
            "azure",
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            provider.url(),
            json!({"provider": "azure", "account": {"id": "7657426d"},
                   "instance": {"id": "e11ebedc", "name": "basepi-test"}, "project": {"name": "basepi-testing"},
                   "machine": {"type": "Standard_D2s_v3"}, "region": "westus2"}),
        ),
    ] {
        let server = Server::start();
        let builder = server.agent().option("cloud_provider", name).environment_variables([(variable, address)]);
        assert_eq!(metadata(&server, builder)["cloud"], expected, "{name}");
    }
    let document = provider.requests("/latest/dynamic/instance-identity/document");
    assert_eq!(document[0].header("x-aws-ec2-metadata-token"), "TOKEN");
    assert_eq!(provider.requests("/computeMetadata/v1/")[0].header("metadata-flavor"), "Google");
    assert_eq!(provider.requests("/metadata/instance/compute")[0].header("metadata"), "true");
}
