use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    files: std::collections::HashMap<String, Vec<String>>,
    container_id: Option<String>,
    pod_id: Option<String>,
}

#[test]
fn containers_and_pods_as_elastic_specifies() {
    let Some(fixtures) = tokenfall_testkit::elastic_fixtures("containers_and_pods_as_elastic_specifies") else {
        return;
    };
    let path = fixtures.join("agent-specs/json-specs/container_metadata_discovery.json");
    let text = std::fs::read_to_string(path).expect("the specification");
    let cases: std::collections::BTreeMap<String, Case> = serde_json::from_str(&text).expect("cases");
    assert!(cases.len() >= 6);
    for (name, case) in cases {
        let file = |path: &str| case.files.get(path).map(|lines| lines.join("\n")).unwrap_or_default();
        let found = container::find(&file("/proc/self/cgroup"), &file("/proc/self/mountinfo"));
        let expected = container::Found { container_id: case.container_id, pod_id: case.pod_id };
        assert_eq!(found, expected, "{name}");
    }
}

fn host_with<'a>(files: &[(&str, &str)], environment: &'a Environment) -> (tempfile::TempDir, Host<'a>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let root = folder.path().to_owned();
    (folder, Host { environment, root })
}

fn variables(list: &[(&str, &str)]) -> Environment {
    Environment::of(list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn the_kernel_knows_the_name_of_the_host_best() {
    let environment = variables(&[("HOSTNAME", "From-Environment")]);
    let (_files, host) =
        host_with(&[("proc/sys/kernel/hostname", "Box-1.Example\n"), ("etc/hostname", "old")], &environment);
    assert_eq!(hostname(&host).as_deref(), Some("box-1.example"));
    let (_files, host) = host_with(&[("etc/hostname", "old")], &environment);
    assert_eq!(hostname(&host).as_deref(), Some("from-environment"));
    let nothing = variables(&[]);
    let (_files, host) = host_with(&[("etc/hostname", " Old \n")], &nothing);
    assert_eq!(hostname(&host).as_deref(), Some("old"));
}

#[test]
fn a_pod_is_named_like_its_host() {
    let uid = "90d81341-92de-11e7-8cf2-507b9d4141fa";
    let nothing = variables(&[]);
    let (_files, host) = host_with(&[], &nothing);
    assert_eq!(kubernetes(&host, None, Some("box")), None);
    assert_eq!(
        kubernetes(&host, Some(uid.to_owned()), Some("web-0")),
        Some(json!({"pod": {"name": "web-0", "uid": uid}}))
    );
    let told = variables(&[
        ("KUBERNETES_NAMESPACE", "shop"),
        ("KUBERNETES_NODE_NAME", "node-1"),
        ("KUBERNETES_POD_NAME", "web-1"),
        ("KUBERNETES_POD_UID", "told"),
    ]);
    let (_files, host) = host_with(&[], &told);
    assert_eq!(
        kubernetes(&host, Some(uid.to_owned()), Some("box")),
        Some(json!({"namespace": "shop", "node": {"name": "node-1"}, "pod": {"name": "web-1", "uid": "told"}}))
    );
}

#[test]
fn azure_functions_are_known_from_their_environment() {
    let owner = "d2cd53b3-acdc-4964-9563-3f5201556a81+faas_group-CentralUSwebspace-Linux";
    let environment = variables(&[
        ("FUNCTIONS_EXTENSION_VERSION", "~4"),
        ("FUNCTIONS_WORKER_RUNTIME", "custom"),
        ("WEBSITE_OWNER_NAME", owner),
        ("WEBSITE_SITE_NAME", "unit-test"),
    ]);
    let (_files, host) = host_with(&[], &environment);
    let expected = json!({
        "provider": "azure",
        "service": {"name": "functions"},
        "account": {"id": "d2cd53b3-acdc-4964-9563-3f5201556a81"},
        "instance": {"name": "unit-test"},
        "project": {"name": "faas_group"},
        "region": "CentralUS",
    });
    for provider in [crate::config::CloudProvider::Azure, crate::config::CloudProvider::Auto] {
        assert_eq!(cloud::find(provider, &host), Some(expected.clone()));
    }
    assert_eq!(cloud::find(crate::config::CloudProvider::None, &host), None);
}

#[test]
fn a_machine_of_no_provider_asks_nobody() {
    let nothing = variables(&[]);
    let (_files, host) = host_with(&[("sys/class/dmi/id/sys_vendor", "LENOVO\n")], &nothing);
    assert_eq!(cloud::find(crate::config::CloudProvider::Auto, &host), None);
}
