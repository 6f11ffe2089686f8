# SPDX-License-Identifier: Apache-2.0
"""Starts Tokenfall and askdocs, a question-answering application over real documentation with a real, small, local model; asks it a
dozen questions, prints what was measured and the two addresses to open. Ctrl-C stops both. Called by `make demo`; standard library only."""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

from environment import HERE, free_port, wait_until_ready

ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "apps/askdocs"))

import setup  # noqa: E402

# Passages that are embedded before the first question, in about 20 seconds; the others are while nobody asks.
FIRST_PASSAGES = 600
# Of a million tokens, in USD: a small hosted model's.
PRICE = "0.15/0.60"
FAULTS = "rate-limit=0.08,disconnect=0.03,stall:3000=0.03"
MANUAL_QUESTIONS = [
    "What is the difference between VACUUM and VACUUM FULL?",
    "How do I create a partial index?",
    "How can I see the query plan and run time of a slow query?",
    "How do I back up a single database and restore it?",
    "What does SERIALIZABLE isolation protect me from?",
    "Which index type is best for full text search?",
    "How do I add a column with a default value to a large table?",
    "What happens to locks when a transaction is rolled back?",
    "How do I replicate one table to another server?",
    "How much memory should shared_buffers have?",
    "How do I read the first element of a JSON array?",
    "What is the difference between VACUUM and VACUUM FULL?",
]
# Where the manual cannot be had, the documents of this project are asked.
OWN_QUESTIONS = [
    "How does Tokenfall find out what is slow?",
    "How do I send data from a Python program?",
    "What does the agent do with the tokens of a stream?",
    "How are costs computed when a price changes?",
    "What survives a crash of the server?",
    "How do I search on Elasticsearch instead?",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target/release", help="folder of tokenfall and askdocs")
    parser.add_argument("--listen", default="127.0.0.1:8200", help="address of Tokenfall")
    parser.add_argument("--askdocs", default="127.0.0.1:8300", help="address of askdocs")
    parser.add_argument("--data", default=str(ROOT / "data"), help="where Tokenfall keeps its data")
    parser.add_argument("--questions", type=int, help="ask this many only")
    parser.add_argument("--exit", action="store_true", help="stop after the questions (for scripts)")
    args = parser.parse_args()
    for option, address in (("LISTEN", args.listen), ("ASKDOCS", args.askdocs)):
        port = int(address.rsplit(":", 1)[1])
        if free_port(port) != port:
            sys.exit(f"{address} is in use. Stop the program there, or choose another address: make demo {option}=127.0.0.1:{port + 100}")
    # So that Ctrl-C and `kill` end in the same way.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    started = []
    try:
        show(args, started)
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
    finally:
        # Ctrl-C may be pressed again in the meantime.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in reversed(started):
            process.terminate()
            process.wait()


def show(args, started):
    begin = time.monotonic()
    for model in setup.MODELS:
        setup.fetch_model(*model)
    manual = setup.fetch_corpus()
    documents, questions = (manual, MANUAL_QUESTIONS) if manual else (ROOT / "docs", OWN_QUESTIONS)
    if not manual:
        print("The PostgreSQL manual is fetched with apt-get, which is not here: the documents of this project are indexed instead.")
    index = setup.cache() / f"{documents.name}.index"
    tokenfall, askdocs = f"http://{args.listen}", f"http://{args.askdocs}"

    print(f"\nIndexing {documents} (embedding {FIRST_PASSAGES} passages, the others later) …", flush=True)
    subprocess.run([args.binaries / "askdocs", "index", documents, "--index", index, "--embed-at-most", str(FIRST_PASSAGES)], check=True)

    start(started, [args.binaries / "tokenfall", "serve", "--listen", args.listen, "--data", args.data], f"{tokenfall}/readyz")
    about = (f"PostgreSQL manual: PostgreSQL licence. " if manual else "") + (
        f"Costs are computed as if a million tokens cost {PRICE.replace('/', ' and ')} USD; this model costs nothing. "
        f"Faults on purpose: {FAULTS}.")
    start(started, [args.binaries / "askdocs", "serve", "--listen", args.askdocs, "--index", index, "--update", "--provider", "local",
                    "--embeddings", "local", "--tokenfall-url", tokenfall, "--price", PRICE, "--faults", FAULTS, "--about", about,
                    *(word for question in questions[:4] for word in ("--example", question))], f"{askdocs}/health")

    questions = questions[:args.questions]
    print(f"\nAsking {len(questions)} questions; watch them arrive at {tokenfall}/ …\n", flush=True)
    for number, question in enumerate(questions):
        print(f"  {ask(askdocs, question, f'visitor-{1 + number % 3}'):>6.1f} s   {question}", flush=True)
    print_what_was_measured(tokenfall)
    print(f"\nReady after {time.monotonic() - begin:.0f} s (without the build). Some requests failed on purpose: {FAULTS}.\n\n"
          f"  Ask        {askdocs}/\n  Look       {tokenfall}/\n\n"
          f"The rest of the documents is being embedded while nobody asks. Ctrl-C stops both; the data stay in {args.data}\n", flush=True)
    if not args.exit:
        started[0].wait()
        sys.exit("Tokenfall has ended; its messages are above")


def start(started, command, ready):
    # In a session of its own: Ctrl-C reaches this script, which stops the programs one after the other.
    process = subprocess.Popen(command, start_new_session=True)
    started.append(process)
    wait_until_ready(ready, process)


def ask(askdocs, question, session):
    """Asks, reads the stream to its end, and returns the seconds that it took."""
    begin = time.monotonic()
    body = json.dumps({"question": question, "session": session}).encode()
    request = urllib.request.Request(f"{askdocs}/api/ask", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as stream:
        for _ in stream:
            pass
    return time.monotonic() - begin


def print_what_was_measured(tokenfall):
    """Reads the dependencies back from the server."""
    deadline, rows = time.monotonic() + 15, []
    while time.monotonic() < deadline and not rows:
        time.sleep(1)
        with urllib.request.urlopen(f"{tokenfall}/api/v1/dependencies?from=now-15m&to=now") as response:
            rows = json.load(response)["dependencies"]
    print("\nWhere the time goes:")
    for row in rows:
        summary = row["summary"]
        print(f"  {row['resource']:<24} {summary['latency_avg_us'] / 1000:>9.0f} ms on average   {summary['count']:>4.0f} calls"
              f"   {100 * row['impact']:>5.1f} % of the waiting")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
