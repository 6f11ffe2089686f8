# SPDX-License-Identifier: Apache-2.0
"""Real clients against the real server: Elastic's Python agent, unmodified, in the question-answering program of `demo/`, once
with the openai package of its time and once with today's. Asserts on what the API answers afterwards."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "demo"))

from environment import client_environment, free_port, python_with, wait_until_ready  # noqa: E402

CLASSIC, CURRENT = "elasticdocs-gpt-v2-streaming", "elasticdocs-gpt-v3"


class Server:
    """A running Tokenfall and what its API answers."""

    def __init__(self, base):
        self.base = base

    def get(self, path, **parameters):
        query = urllib.parse.urlencode({"from": "now-15m", "to": "now+1m", **parameters})
        with urllib.request.urlopen(f"{self.base}/api/v1/{path}?{query}") as response:
            return json.load(response)

    def wait(self, what, condition, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"not so within {seconds} s: {what}")

    def traces(self, service):
        return self.get("traces", service=service)["traces"]


def services_are_listed(server):
    names = lambda: {s["name"] for s in server.get("services")["services"]}
    server.wait("both services are listed", lambda: {CLASSIC, CURRENT} <= names())


def the_model_is_a_dependency_until_its_last_token(server, service):
    rows = {row["resource"]: row for row in server.get("dependencies", service=service)["dependencies"]}
    assert "http" not in rows, f"token spans became a dependency: {sorted(rows)}"
    assert "openai" in rows, f"no row for the model: {sorted(rows)}"
    summary = rows["openai"]["summary"]
    # 60 tokens about 10 ms apart after 120 ms; the POST alone takes some 10 ms.
    assert summary["latency_avg_us"] > 500_000, f"the model's time ends before its last token: {summary}"
    return rows


def classic_dependencies(server):
    rows = the_model_is_a_dependency_until_its_last_token(server, CLASSIC)
    # Two queries with three calls each; the rate-limited one has nine (two refusals and an answer for each of three).
    assert round(rows["openai"]["summary"]["count"]) == 2 * 3 + 9, rows["openai"]["summary"]
    assert len(rows) == 2, f"the search and the model, nothing else: {sorted(rows)}"
    assert "gpt-35-turbo" in rows["openai"]["models"], rows["openai"]["models"]


def current_dependencies(server):
    rows = the_model_is_a_dependency_until_its_last_token(server, CURRENT)
    assert round(rows["openai"]["summary"]["count"]) == 3, rows["openai"]["summary"]
    assert rows["openai"]["models"] == ["gpt-4o-mini"], rows["openai"]["models"]


def token_spans_are_composites(server):
    trace = min(server.traces(CLASSIC), key=lambda t: t["duration_us"])
    skeleton = server.get(f"traces/{trace['trace_id']}/skeleton")
    tokens = [c for i, c in enumerate(skeleton["composite_count"]) if skeleton["names"][skeleton["name"][i]] == "token"]
    assert tokens == [62, 62, 62], tokens
    assert skeleton["items"] == 12, skeleton["items"]


def errors_stand_where_they_happened(server):
    slowest = max(server.traces(CLASSIC), key=lambda t: t["duration_us"])
    skeleton = server.get(f"traces/{slowest['trace_id']}/skeleton")
    where = [skeleton["names"][skeleton["name"][e["item"]]] for e in skeleton["errors"]]
    assert where == ["openaiChatCompletion"] * 6, where
    assert max(skeleton["attempt"]) == 3, skeleton["attempt"]


def errors_are_grouped(server):
    groups = server.get("errors", service=CLASSIC)["groups"]
    assert [(g["exception_type"], g["occurrences"]) for g in groups] == [("RateLimitError", 6)], groups
    detail = server.get(f"errors/{groups[0]['grouping_key']}", service=CLASSIC)
    assert detail["sample"]["error"]["exception"][0]["stacktrace"], "the stack trace is missing"
    assert detail["transactions"][0]["name"] == "user-query", detail["transactions"]


def labels_are_kept(server):
    trace = server.traces(CLASSIC)[0]
    item = server.get(f"traces/{trace['trace_id']}/items/{trace['transaction_id']}")["document"]
    assert item["labels"]["query"].startswith("how do I set the number of shards"), item["labels"]
    assert item["numeric_labels"]["openai_tokens"] > 0, item["numeric_labels"]


TESTS = [services_are_listed, classic_dependencies, current_dependencies, token_spans_are_composites,
         errors_stand_where_they_happened, errors_are_grouped, labels_are_kept]


def main():
    binary = os.environ.get("TOKENFALL_BIN", str(ROOT / "target/debug/tokenfall"))
    if not os.path.exists(binary):
        sys.exit(f"{binary} is not there; run: cargo build --bin tokenfall")
    classic, current = python_with("requirements.txt"), python_with("requirements-openai3.txt")
    processes = []
    passed = failed = 0
    with tempfile.TemporaryDirectory() as data:
        try:
            port, llm_port = free_port(), free_port()
            base, llm = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{llm_port}"
            processes.append(subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", data]))
            wait_until_ready(base + "/readyz", processes[-1])
            processes.append(subprocess.Popen([classic, str(ROOT / "demo/fake_openai.py"), "--port", str(llm_port)]))
            wait_until_ready(llm + "/", processes[-1])
            run = lambda python, script, *more: subprocess.run(
                [python, str(ROOT / "demo" / script), "--server", base, "--llm", llm, *more],
                env={**client_environment(), "FAST": "1"}, check=True)
            run(classic, "question_answering.py", "--queries", "2")
            run(classic, "question_answering.py", "--scenario", "ratelimit")
            run(current, "question_answering_openai3.py")
            server = Server(base)
            for test in TESTS:
                try:
                    test(server)
                    passed += 1
                    print(f"ok   {test.__name__}")
                except (AssertionError, KeyError, IndexError, OSError):
                    failed += 1
                    print(f"FAIL {test.__name__}")
                    traceback.print_exc()
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
