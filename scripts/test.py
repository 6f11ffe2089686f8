# SPDX-License-Identifier: Apache-2.0
"""Runs every test of the project and closes with `N passed, N failed, N skipped`. Called by `make test`."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST_BUILD = ["cargo", "test", "--workspace", "--locked"]

# The tests of the binaries leave them in `target/debug`, where the last five steps take them from.
# Name, folder, command, pattern of the counts (`passed`, and `failed` where it is printed).
STEPS = [
    ("rust: format", ".", ["cargo", "fmt", "--all", "--check"], None),
    ("ui: install", "ui", ["npm", "ci", "--no-audit", "--no-fund"], None),
    ("ui: lint", "ui", ["npm", "run", "lint"], None),
    ("ui: types", "ui", ["npm", "run", "check"], None),
    ("ui: unit tests", "ui", ["npm", "test"], r"Tests\s+(?:(?P<failed>\d+) failed \| )?(?P<passed>\d+) passed"),
    ("ui: build", "ui", ["npm", "run", "build"], None),
    ("ui: size budget", "ui", ["npm", "run", "budget"], None),
    ("rust: lints", ".", ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], None),
    ("project rules", ".", ["cargo", "run", "--quiet", "--locked", "-p", "xtask", "--", "tidy"], None),
    ("rust: tests", ".", TEST_BUILD, r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed"),
    ("agent: every feature, oldest Rust, package", ".", ["cargo", "run", "--quiet", "--locked", "-p", "xtask", "--", "agent"],
     r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    ("real clients", ".", [sys.executable, "tests/real_clients.py"], r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    ("figures of the article", ".", [sys.executable, "tests/article_figures.py"],
     r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    ("browser", "ui", ["npm", "run", "e2e"], r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    ("browser: the article", "ui", ["npm", "run", "e2e:article"], r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    ("browser: askdocs", "ui", ["npm", "run", "e2e:askdocs"], r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed"),
]


def main():
    only = sys.argv[1:]
    passed = failed = 0
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        skipped_log = pathlib.Path(folder) / "skipped"
        env = {**os.environ, "TOKENFALL_SKIPPED_LOG": str(skipped_log), "CARGO_TERM_COLOR": "never", "NO_COLOR": "1",
               "FORCE_COLOR": "0", "CHROMIUM": browser()}
        for name, where, command, counts in STEPS:
            if only and not any(word in name for word in only):
                continue
            print(f"\n=== {name}: {' '.join(command)}", flush=True)
            start = time.monotonic()
            status, step_passed, step_failed = run(command, ROOT / where, env, counts)
            print(f"=== {name}: {'ok' if status == 0 else f'FAILED ({status})'} in {time.monotonic() - start:.0f} s", flush=True)
            passed += step_passed
            failed += step_failed
            if status != 0 or (counts and step_passed == 0):
                broken.append(name)
                failed += step_failed == 0
        skipped = skipped_log.read_text().splitlines() if skipped_log.exists() else []
    for line in skipped:
        print(f"skipped: {line}")
    if broken:
        print(f"failed: {', '.join(broken)}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if broken else 0)


def run(command, where, env, counts):
    """Runs a command, shows its output as it comes, adds up the counts that it prints."""
    process = subprocess.Popen(command, cwd=where, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    watchdog = threading.Timer(30 * 60, process.kill)
    watchdog.start()
    passed = failed = 0
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        match = counts and re.search(counts, line.strip())
        if match:
            passed += int(match["passed"])
            failed += int(match["failed"] or 0)
    status = process.wait()
    watchdog.cancel()
    return status, passed, failed


def browser():
    """Path of Chromium."""
    for candidate in (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/google-chrome"):
        if candidate and os.path.exists(candidate):
            return candidate
    return "chromium"


if __name__ == "__main__":
    main()
