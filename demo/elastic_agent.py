# SPDX-License-Identifier: Apache-2.0
"""Starts Tokenfall with its embedded store, lets a question-answering program with Elastic's Python agent run against a
fake model endpoint, and prints the address to open. Ctrl-C stops everything. Called by `make demo-elastic`."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

from environment import HERE, client_environment, free_port, python_with, wait_until_ready

QUESTIONS = [
    "How do I mount and index a frozen node?",
    "How to create an ingest pipeline?",
    "How do I set the number of shards?",
    "What is the difference between a term and a match query?",
    "How do I set the number of shards?",
    "How can I see where the time of a slow query goes?",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenfall", default=str(HERE.parent / "target/release/tokenfall"))
    parser.add_argument("--listen", default="127.0.0.1:8200")
    parser.add_argument("--data", default=str(HERE.parent / "data"))
    parser.add_argument("--exit", action="store_true", help="stop after the questions (for scripts)")
    args = parser.parse_args()
    base = f"http://{args.listen}"
    port = args.listen.rsplit(":", 1)[1]
    if free_port(int(port)) != int(port):
        sys.exit(f"{args.listen} is in use. Stop the program there, or choose another address: make demo-elastic LISTEN=127.0.0.1:8300")

    python = python_with("requirements.txt")
    started = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = subprocess.Popen([args.tokenfall, "serve", "--listen", args.listen, "--data", args.data])
        started.append(server)
        wait_until_ready(base + "/readyz", server)
        llm_port = free_port(8081)
        llm = f"http://127.0.0.1:{llm_port}"
        # About 4 s for 100 tokens, as hosted models need.
        endpoint = subprocess.Popen([python, str(HERE / "fake_openai.py"), "--port", str(llm_port), "--tokens", "100",
                                     "--vary", "--gap", "0.038", "--ttft", "0.6"])
        started.append(endpoint)
        wait_until_ready(llm + "/", endpoint)

        print(f"\nAsking {len(QUESTIONS) + 4} questions; watch them arrive at {base}/ …\n", flush=True)
        listing = [python, str(HERE / "question_answering.py"), "--server", base, "--llm", llm]
        asked = lambda questions: [word for q in questions for word in ("--question", q)]
        clients = [
            subprocess.Popen([*listing, *asked(QUESTIONS[:3])], env=client_environment()),
            subprocess.Popen([*listing, *asked(QUESTIONS[3:])], env=client_environment()),
            subprocess.Popen([*listing, "--scenario", "ratelimit", *asked(QUESTIONS[1:3])], env=client_environment()),
            subprocess.Popen([*listing, "--scenario", "drop", *asked(QUESTIONS[:1])],
                             env={**client_environment(), "FAST": "1"}),
            subprocess.Popen([*listing, "--scenario", "unhandled", *asked(QUESTIONS[2:3])], env=client_environment()),
        ]
        failed = [client.args for client in clients if client.wait() != 0]
        if failed:
            sys.exit(f"a client failed: {failed[0]}")
        print_what_was_found(base)
        if not args.exit:
            print(f"\n  Open {base}/    Ctrl-C stops the demo; the data stay in {args.data}\n", flush=True)
            server.wait()
    except KeyboardInterrupt:
        print("\nstopping …")
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def print_what_was_found(base):
    """Reads the dependency table back from the server, to show that the answer is there and right."""
    deadline = time.monotonic() + 10
    rows = []
    while time.monotonic() < deadline and not rows:
        with urllib.request.urlopen(f"{base}/api/v1/dependencies?from=now-15m&to=now") as response:
            rows = json.load(response)["dependencies"]
        time.sleep(0.2)
    print("\nWhere the time goes:")
    for row in rows:
        summary = row["summary"]
        print(f"  {row['resource']:<24} {summary['latency_avg_us'] / 1000:>9.0f} ms on average   {summary['count']:>4.0f} calls"
              f"   {100 * row['impact']:>5.1f} % of the waiting")


if __name__ == "__main__":
    os.chdir(HERE)
    main()
