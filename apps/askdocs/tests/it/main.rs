//! The binary as people run it: what needs no weights and no provider. It also leaves the binary where the browser test takes it from.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn askdocs(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_askdocs"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn a_scripted_model_is_served_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("answer.txt");
    std::fs::write(&script, "one two three four\n").unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--token-time", "20", "--faults", "server-error=1@gremlins"];
    let command = ["model", "serve", "--scripted", script.to_str().unwrap()].into_iter().chain(arguments);
    let mut served = Served(askdocs(&command.collect::<Vec<_>>()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(served.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().strip_prefix("scripted and scripted-embedding at ").expect("models and an address");

    let client = reqwest::Client::new();
    let post = async |path: &str, body: Value| {
        let response = client.post(format!("{base}/{path}")).body(body.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap())
    };
    let question = |text: &str| json!({ "model": "scripted", "messages": [{ "role": "user", "content": text }] });
    let begin = Instant::now();
    let (status, answer) = post("chat/completions", question("What is the answer?")).await;
    assert_eq!((status, &answer["choices"][0]["message"]["content"]), (200, &json!("one two three four")));
    assert_eq!(answer["usage"]["completion_tokens"], 4);
    assert!(begin.elapsed() >= Duration::from_millis(80), "four words of 20 ms");
    assert_eq!(post("chat/completions", question("Are there gremlins?")).await.0, 503);
    let (status, vectors) = post("embeddings", json!({ "model": "scripted-embedding", "input": "one" })).await;
    assert!(status == 200 && vectors["data"][0]["embedding"].is_array(), "{vectors}");
}

#[test]
fn what_cannot_be_served_is_said() {
    let error = |arguments: &[&str]| {
        let output = askdocs(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let serve = ["model", "serve", "--listen", "127.0.0.1:0"];
    let missing = error(&[&serve[..], &["--scripted", "/nowhere/answer.txt"]].concat());
    assert!(missing.contains("cannot read /nowhere/answer.txt"), "{missing}");
    let alone = error(&[&serve[..], &["--token-time", "30"]].concat());
    assert!(alone.contains("--scripted"), "{alone}");
}
