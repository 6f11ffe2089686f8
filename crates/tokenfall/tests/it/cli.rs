//! The command line.

use std::fs;

use serde_json::{Value, json};
use tokenfall_testkit::http::request;
use tokenfall_testkit::repository_root;

use crate::process::{Process, output, tokenfall};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn sigterm_finishes_what_was_accepted() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let server = Process::serve(&path);
    let body = "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"go\",\"version\":\"1\"}}}}\n\
                {\"log\":{\"message\":\"hello\"}}\n{\"log\":{\"message\":\"hello\"}}\n\
                {\"metricset\":{\"samples\":{\"a\":{\"value\":1}}}}\n";
    let answer = request(server.address, "POST", "/intake/v2/events", &[], body.as_bytes()).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());

    let path = path.to_str().unwrap();
    let locked = output(&mut tokenfall(&["store", "stats", "--data", path, "--json"]));
    assert!(!locked.status.success());
    assert!(text(&locked.stderr).contains("in use"), "{}", text(&locked.stderr));

    assert!(server.terminate().success());
    let stats = output(&mut tokenfall(&["store", "stats", "--data", path, "--json"]));
    assert!(stats.status.success(), "{}", text(&stats.stderr));
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    let events = json!({"transaction": 0, "span": 0, "error": 0, "metricset": 1, "log": 2});
    assert_eq!(stats["events"], events);
    assert!(stats["disk_bytes"].as_u64() > Some(0));
    assert_eq!(stats.as_object().unwrap().len(), 2);
}

#[test]
fn other_addresses_need_a_secret() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let refused = output(&mut tokenfall(&["serve", "--listen", "0.0.0.0:0", "--data", path.to_str().unwrap()]));
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("TOKENFALL_SECRET_TOKEN"), "{}", text(&refused.stderr));
    assert!(!path.exists());
}

#[test]
fn configuration_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, "namespace = \"prod\"\nsecret_token = \"hush hush\"\n").unwrap();
    let file = file.to_str().unwrap();
    let printed = output(
        tokenfall(&["config", "print", "--config", file, "--listen", "127.0.0.1:9"]).env("TOKENFALL_DATA", "/d"),
    );
    let shown = text(&printed.stdout);
    assert!(printed.status.success());
    for (value, origin) in [
        ("listen = \"127.0.0.1:9\"", "# --listen"),
        ("data = \"/d\"", "# TOKENFALL_DATA"),
        ("namespace = \"prod\"", "t.toml:1"),
        ("secret_token = \"***\"", "t.toml:2"),
        ("log_format = \"text\"", "# default"),
    ] {
        let line = shown.lines().find(|line| line.starts_with(value)).unwrap_or_else(|| panic!("{value} in {shown}"));
        assert!(line.contains(origin), "{line}");
    }
    assert!(!shown.contains("hush"));

    fs::write(file, "\nnamespaze = \"prod\"\n").unwrap();
    let refused = output(&mut tokenfall(&["config", "print", "--config", file]));
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("t.toml:2: unknown key `namespaze`"), "{}", text(&refused.stderr));
}

#[test]
fn committed_documents_are_new() {
    for (arguments, path) in
        [(&["config", "reference"][..], "docs/configuration.md"), (&["openapi"], "ui/openapi.json")]
    {
        let committed = fs::read_to_string(repository_root().join(path)).unwrap();
        let how = format!("run: cargo run -p tokenfall -- {} > {path}", arguments.join(" "));
        assert!(committed == text(&output(&mut tokenfall(arguments)).stdout), "{path} is old; {how}");
    }
}

#[test]
fn doctor_finds_problems() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let path = path.to_str().unwrap();
    let doctor = |arguments: &[&str]| {
        let found = output(&mut tokenfall(&[&["doctor", "--free-bytes-min", "0"], arguments].concat()));
        (found.status.success(), text(&found.stdout))
    };
    let free = ["--listen", "127.0.0.1:0", "--data", path];
    let (well, found) = doctor(&free);
    assert!(well, "{found}");
    assert!(found.contains("will be made"), "{found}");

    let (well, found) = doctor(&["--listen", "0.0.0.0:0", "--data", path]);
    assert!(!well && found.contains("problem  access"), "{found}");

    let misspelt = output(tokenfall(&["doctor", "--free-bytes-min", "0"]).args(free).env("TOKENFALL_LISTN", "1"));
    assert!(!misspelt.status.success() && text(&misspelt.stdout).contains("TOKENFALL_LISTN"), "{misspelt:?}");

    let (well, found) = doctor(&["--listen", "127.0.0.1:0", "--data", path, "--free-bytes-min", "4194304GiB"]);
    assert!(!well && found.contains("problem  disk"), "{found}");

    let server = Process::serve(data.path().join("data").as_path());
    let address = server.address.to_string();
    let (well, found) = doctor(&["--listen", &address, "--data", path]);
    assert!(
        well && found.contains("a Tokenfall server answers") && found.contains("in use by the running server"),
        "{found}"
    );
    let (well, found) = doctor(&free);
    assert!(!well && found.contains("problem  data"), "{found}");
    drop(server);

    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    // Whoever listens there says nothing, and closes.
    std::thread::spawn(move || {
        for stream in other.incoming() {
            drop(stream.map(|mut stream| std::io::Read::read(&mut stream, &mut [0; 1024])));
        }
    });
    let (well, found) = doctor(&["--listen", &taken, "--data", path]);
    assert!(!well && found.contains("problem  port"), "{found}");
}

#[test]
fn help_says_how_to_start() {
    let help = text(&output(&mut tokenfall(&["--help"])).stdout);
    assert!(help.contains("tokenfall serve") && help.contains("ELASTIC_APM_SERVER_URL"), "{help}");
    let serve = text(&output(&mut tokenfall(&["serve", "--help"])).stdout);
    assert!(
        serve.contains("--listen") && serve.contains("TOKENFALL_LISTEN") && !serve.contains("--secret-token"),
        "{serve}"
    );
    assert!(text(&output(&mut tokenfall(&["--version"])).stdout).starts_with("tokenfall 0."));
}
