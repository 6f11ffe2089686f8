# SPDX-License-Identifier: Apache-2.0
"""The figures of the article: made-up traffic is sent to a real server, every figure is computed from the generator's log alone, and
compared with what the API answers. Money, tokens and counts must be equal; means may differ by rounding, percentiles by the width
of a bucket of their sketch, and fitted lines by what two ways to fit differ. `SEED` and `SEARCHES` make up other traffic.
Standard library only."""
import collections
import decimal
import fractions
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "demo"))

from environment import free_port, wait_until_ready  # noqa: E402

# A fixed end: the hours and weekdays of the traffic, and so everything that is made up, are the same on each day of the year.
UNTIL, FROM, TO = "2026-11-20T18:00:00Z", "2026-10-20T00:00:00Z", "2026-11-21T00:00:00Z"
PAGE, ASSISTANT = "elasticdocs-gpt-v2-streaming", "docs-assistant"
SLOW = "How do I mount and index a frozen node?"
FAILING = {"How do I create an ingest pipeline?", "How to create an ingest pipeline with a script processor?"}
DECOYS = ("labels.team", "labels.region", "labels.experiment", "numeric_labels.prompt_version")

ROWS_MAX = 500     # that the API lists

ROUNDING = 1e-6    # of durations: they travel as milliseconds and are cut to microseconds, as Elastic does
SKETCH = 0.02      # of percentiles
FIT = 0.02         # of slopes: least squares here, a robust line there
FIT_ERRORS = 3     # of intercepts, in standard errors: they lie outside the points


class Server:
    """A running Tokenfall and what its API answers."""

    def __init__(self, base):
        self.base = base

    def get(self, path, **parameters):
        query = urllib.parse.urlencode({"from": FROM, "to": TO, **parameters})
        with urllib.request.urlopen(f"{self.base}/api/v1/{path}?{query}", timeout=60) as response:
            answer = json.load(response)
        assert answer["complete"], f"{path}: a part could not be read"
        return answer

    def wait_until_stored(self, events, seconds=60):
        """Waits until as many events can be found as were sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            calls = self.get("llm/spend")["total"]
            dependencies = sum(row["summary"]["count"] for row in self.get("dependencies")["dependencies"])
            errors = sum(group["occurrences"] for group in self.get("errors")["groups"])
            found = (calls["transactions"], round(dependencies), errors)
            if found == events:
                return
            time.sleep(0.2)
        raise SystemExit(f"after {seconds} s (transactions, calls of dependencies, errors) are {found}, not {events}")


class Log:
    """What the generator says it made up."""

    def __init__(self, lines):
        self.searches = [json.loads(line) for line in lines]
        for search in self.searches:
            search["usd"] = decimal.Decimal(search["usd"])
            for attempt in search["attempts"]:
                attempt["service"] = search["service"]
                attempt["usd"] = attempt["usd"] and decimal.Decimal(attempt["usd"])

    def of(self, service):
        return [search for search in self.searches if search["service"] == service]


class Figures:
    """Compares one figure after the other, and prints both values."""

    def __init__(self):
        self.passed = self.failed = 0

    def same(self, what, found, expected):
        self.report(what, found, expected, found == expected, "exact")

    def near(self, what, found, expected, tolerance):
        fits = found is not None and abs(found - expected) <= tolerance * abs(expected)
        self.report(what, found, expected, fits, f"± {100 * tolerance:.3g} %")

    def each(self, what, found, expected):
        """Compares two dictionaries key by key; one figure."""
        wrong = [f"{key}: {found.get(key)}, not {expected.get(key)}" for key in {**found, **expected}
                 if found.get(key) != expected.get(key)]
        self.report(what, f"{len(found)} groups", f"{len(expected)} groups", not wrong, "; ".join(wrong[:3]) or "each exact")

    def report(self, what, found, expected, fits, how):
        self.passed, self.failed = self.passed + fits, self.failed + (not fits)
        if isinstance(found, list) and not fits:
            how = f"{found}, not {expected}"
        print(f"{'ok  ' if fits else 'FAIL'} {what:<62} API {text(found):>18}   log {text(expected):>18}   {how}")


def text(value):
    if isinstance(value, list):
        return f"{len(value)} in this order" if value else "none"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def money(value):
    """An amount as exact number; what is not known stays None."""
    return value if value is None else decimal.Decimal(value)


def grouped(items, key):
    groups = collections.defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def attempts(searches):
    return [attempt for search in searches for attempt in search["attempts"]]


def answered(searches):
    return [attempt for attempt in attempts(searches) if attempt["error"] is None]


def usd(items):
    return sum((item["usd"] for item in items if item["usd"] is not None), decimal.Decimal(0))


def tokens(searches):
    return sum(attempt["input_tokens"] + attempt["output_tokens"] for attempt in answered(searches))


def is_failed(search):
    return search["outcome"] == "failure"


def failure_rate(items):
    return sum(map(is_failed, items)) / len(items)


def percentile(values, share):
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def line(points):
    """Slope, start, and standard error of the start, by least squares; sums in exact arithmetic."""
    xs, ys = [fractions.Fraction(x) for x, _ in points], [fractions.Fraction(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / spread
    start = y_mean - slope * x_mean
    variance = sum((y - start - slope * x) ** 2 for x, y in zip(xs, ys)) / (len(xs) - 2)
    return float(slope), float(start), math.sqrt(variance * (fractions.Fraction(1, len(xs)) + x_mean ** 2 / spread))


def counts(server, log, figures):
    total = server.get("llm/spend")["total"]
    figures.same("searches", total["transactions"], len(log.searches))
    figures.same("searches that failed", total["failed_transactions"], sum(map(is_failed, log.searches)))
    figures.same("model calls", total["calls"], len(attempts(log.searches)))
    services = {row["name"]: row for row in server.get("services")["services"]}
    for service in (PAGE, ASSISTANT):
        own, summary = log.of(service), services[service]["summary"]
        figures.same(f"{service}: searches", round(summary["count"]), len(own))
        figures.near(f"{service}: failure rate", summary["failure_rate"], failure_rate(own), ROUNDING)
        figures.near(f"{service}: mean duration, µs", summary["latency_avg_us"],
                     statistics.fmean(search["duration_us"] for search in own), ROUNDING)


def where_the_time_goes(server, log, figures):
    """The search engine in 125 ms, the model in 8.5 s."""
    for service in (PAGE, ASSISTANT):
        rows = {row["resource"]: row["summary"] for row in server.get("dependencies", service=service)["dependencies"]}
        own = log.of(service)
        figures.same(f"{service}: dependencies", sorted(rows), ["elasticsearch", "openai"])
        for resource, durations in (("elasticsearch", [search["search_us"] for search in own]),
                                    ("openai", [attempt["duration_us"] for attempt in attempts(own)])):
            what, summary = f"{service}: {resource}", rows[resource]
            figures.same(f"{what}: calls", round(summary["count"]), len(durations))
            figures.near(f"{what}: mean, µs", summary["latency_avg_us"], statistics.fmean(durations), ROUNDING)
            figures.near(f"{what}: median, µs", summary["latency_p50_us"], statistics.median(durations), SKETCH)
        failed = [attempt for attempt in attempts(own) if attempt["error"]]
        figures.near(f"{service}: openai: failure rate", rows["openai"]["failure_rate"],
                     len(failed) / len(attempts(own)), ROUNDING)


def tokens_against_time(server, log, figures):
    """4 s for 100 tokens."""
    answer = server.get("llm/tokens", size=50_000)
    figures.same("answers with tokens and duration", answer["matching"], len(answered(log.searches)))
    figures.same("answers without tokens", answer["unknown"], 0)
    fits = {fit["model"]: fit for fit in answer["fits"]}
    for model, calls in sorted(grouped(answered(log.searches), lambda attempt: attempt["model"]).items()):
        # The robust line passes over the answers that stood still; least squares must leave them out.
        points = [(call["output_tokens"], call["duration_us"]) for call in calls if call["stall_us"] is None]
        slope, start, error = line(points)
        figures.same(f"{model}: points", fits[model]["count"], len(calls))
        figures.near(f"{model}: s for 100 tokens", fits[model]["seconds_per_100_tokens"], slope / 1e4, FIT)
        figures.near(f"{model}: µs to the first token", fits[model]["intercept_us"], start, FIT_ERRORS * error / start)
    sums = collections.Counter()
    for attempt in answered(log.searches):
        sums["derived" if attempt["service"] == PAGE else "reported"] += attempt["output_tokens"]
    figures.same("tokens of answers, reported", answer["sources"]["reported"], sums["reported"])
    figures.same("tokens of answers, from token spans", answer["sources"]["derived"], sums["derived"])


def streaming(server, log, figures):
    answer = server.get("llm/streaming")
    calls = answered(log.searches)
    stalled = [call["stall_us"] for call in calls if call["stall_us"] is not None]
    first = [call["time_to_first_token_us"] for call in calls]
    total = answer["total"]
    figures.same("streamed answers", total["calls"], len(calls))
    figures.near("time to first token, median, µs", total["time_to_first_token_p50_us"], statistics.median(first), SKETCH)
    figures.near("time to first token, p95, µs", total["time_to_first_token_p95_us"], percentile(first, 0.95), SKETCH)
    figures.same("answers with a timeline", total["with_gaps"], len(answered(log.of(ASSISTANT))))
    figures.same("answers that stood still", total["stalled"], len(stalled))
    # A timeline has steps of 100 µs, and at most 480 of them: of longer answers a step holds two tokens or more, and a gap spans so many.
    coarse = sum(100 + 60_000 * (tokens_of_a_step(call["output_tokens"]) - 1) for call in calls if call["stall_us"] is not None)
    figures.report("time that they stood still, µs", total["stall_us"], sum(stalled),
                   abs(total["stall_us"] - sum(stalled)) <= coarse, f"± {coarse} µs")
    worst = max((call for call in calls if call["stall_us"]), key=lambda call: call["stall_us"])
    figures.same("the answer that stood still for longest", answer["stalled"][0]["span_id"], worst["span_id"])


def tokens_of_a_step(count):
    """`docs/formats/token-timeline.md`: the smallest power of two for which 480 steps are enough."""
    step = 1
    while -(-count // step) > 480:
        step *= 2
    return step


def what_it_costs(server, log, figures):
    """About 1.1 cents for a search of the page."""
    total = server.get("llm/spend")["total"]
    figures.same("cost, USD", money(total["usd"]), usd(log.searches))
    figures.same("cost of failed searches, USD", money(total["failed_transactions_usd"]), usd(filter(is_failed, log.searches)))
    figures.same("tokens of questions and answers", total["total_tokens"], tokens(log.searches))
    page = [search for search in log.of(PAGE) if search["usd"]]
    mean = money(server.get("llm/spend", service=PAGE)["total"]["usd_per_transaction"])
    figures.near("cost of a search of the page, USD", float(mean), float(usd(page) / len(page)), ROUNDING)
    figures.report("… in cents, as in the article", float(mean * 100), 1.1, 1.0 < mean * 100 < 1.2, "1.0 to 1.2")


def what_it_costs_by_everything(server, log, figures):
    keys = {
        "user": lambda search: search["user"],
        "session": lambda search: search["session"],
        "question": lambda search: search["question"],
        "service": lambda search: search["service"],
        "label:team": lambda search: search["labels"]["team"],
        "label:region": lambda search: search["labels"]["region"],
    }
    for by, key in keys.items():
        answer = server.get("llm/spend", by=by)
        groups = grouped(log.searches, key)
        figures.same(f"spend by {by}: rows left out", answer["rows_omitted"], max(0, len(groups) - ROWS_MAX))
        found = {row["key"]: (money(row["usd"]), row["transactions"], row["calls"]) for row in answer["rows"]}
        figures.each(f"spend by {by}: USD, searches, calls", found,
                     {name: (usd(own), len(own), len(attempts(own))) for name, own in groups.items() if name in found})
        left_out = usd(search for search in log.searches if key(search) not in found)
        figures.same(f"spend by {by}: USD left out", money(answer["omitted_usd"]), left_out)
    # The page's labels say what a search cost, not what each call did: all of it belongs to its one model.
    expected = collections.Counter()
    for search in log.searches:
        for attempt in search["attempts"]:
            expected[attempt["model"]] += attempt["usd"] or 0
        if search["service"] == PAGE:
            expected["gpt-35-turbo"] += search["usd"]
    answer = server.get("llm/spend", by="model")
    figures.each("spend by model: USD", {row["key"]: money(row["usd"]) for row in answer["rows"]}, dict(expected))
    rows = sum(money(row["usd"]) for row in answer["rows"]) + money(answer["omitted_usd"]) + money(answer["unattributed_usd"])
    figures.same("spend by model: rows sum up to the total", rows, money(answer["total"]["usd"]))


def what_people_ask(server, log, figures):
    answer = server.get("llm/questions")
    groups = grouped(log.searches, lambda search: search["question"])
    figures.same("questions asked", answer["asked"], len(log.searches))
    found = {row["question"]: (row["count"], row["users"], money(row["usd"]), row["total_tokens"]) for row in answer["questions"]}
    # What is not known stays unknown: a question that never got an answer has no cost.
    figures.each("questions: count, users, USD, tokens", found,
                 {question: (len(own), len({search["user"] for search in own}), usd(own) or None, tokens(own) or None)
                  for question, own in groups.items()})
    rows = {row["question"]: row for row in answer["questions"]}
    for question in sorted(FAILING):
        figures.near(f"failure rate of “{question[:38]}…”", rows[question]["failure_rate"], failure_rate(groups[question]), ROUNDING)
    figures.near("mean duration of the slow question, µs", rows[SLOW]["latency_avg_us"],
                 statistics.fmean(search["duration_us"] for search in groups[SLOW]), ROUNDING)


def sessions(server, log, figures):
    answer = server.get("sessions", size=ROWS_MAX)
    groups = grouped(log.searches, lambda search: search["session"])
    figures.same("sessions", answer["total"], len(groups))
    found = {row["id"]: (row["user"], row["turns"], row["failed"], row["calls"], money(row["usd"])) for row in answer["sessions"]}
    figures.each("sessions: user, turns, failed turns, calls, USD", found, {
        session: (own[0]["user"], len(own), sum(map(is_failed, own)), len(attempts(own)), usd(own) if answered(own) else None)
        for session, own in groups.items() if session in found})
    figures.same("sessions that are listed", len(found), min(len(groups), ROWS_MAX))
    figures.near("what people waited in them, µs", sum(row["waited_us"] for row in answer["sessions"]),
                 sum(search["duration_us"] for search in log.searches if search["session"] in found), ROUNDING)
    longest = max(groups, key=lambda session: len(groups[session]))
    turns = server.get(f"sessions/{longest}")["turns"]
    own = sorted(groups[longest], key=lambda search: search["timestamp_us"])
    figures.same("the longest session: questions in their order", [turn["question"] for turn in turns],
                 [search["question"] for search in own])


def what_fails(server, log, figures):
    groups = server.get("errors")["groups"]
    found = collections.Counter()
    for group in groups:
        found[group["service"], group["exception_type"]] += group["occurrences"]
    expected = collections.Counter((attempt["service"], attempt["error"]) for attempt in attempts(log.searches) if attempt["error"])
    figures.each("errors by service and type", found, expected)
    figures.same("error groups: one for each of them", len(groups), len(expected))
    # The errors stand on the spans where they happened, and every attempt is there.
    hardest = max(log.of(PAGE), key=lambda search: len(search["attempts"]))
    skeleton = server.get(f"traces/{hardest['trace_id']}/skeleton")
    names = [skeleton["names"][skeleton["name"][error["item"]]] for error in skeleton["errors"]]
    failed = sum(1 for attempt in hardest["attempts"] if attempt["error"])
    figures.same("a trace with retries: where its errors stand", names, ["openaiChatCompletion"] * failed)
    figures.same("… attempts of one answer", max(skeleton["attempt"]), max(a["number"] for a in hardest["attempts"]))


def what_goes_along(server, log, figures):
    for of, expected in (("latency", [SLOW]), ("failures", sorted(FAILING))):
        answer = server.get("correlations", of=of, service=PAGE)
        found = [row for row in answer["correlations"] if row["is_significant"]]
        questions = [row["value"] for row in found if row["field"] == "labels.query"]
        figures.same(f"{of}: questions that stand out", sorted(questions), expected)
        figures.same(f"{of}: labels without effect that stand out", [row["field"] for row in found if row["field"] in DECOYS], [])
        labels = [row["field"] for row in found if row["field"].startswith("labels.")]
        figures.same(f"{of}: the first label", labels[:1], ["labels.query"])


TESTS = [counts, where_the_time_goes, tokens_against_time, streaming, what_it_costs, what_it_costs_by_everything, what_people_ask,
         sessions, what_fails, what_goes_along]


def main():
    binary = os.environ.get("TOKENFALL_BIN", str(ROOT / "target/debug/tokenfall"))
    if not os.path.exists(binary):
        sys.exit(f"{binary} is not there; run: cargo build --bin tokenfall")
    seed, searches = os.environ.get("SEED", "1"), os.environ.get("SEARCHES", "600")
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        base, log_file = f"http://127.0.0.1:{port}", pathlib.Path(folder) / "log.jsonl"
        process = subprocess.Popen([binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", f"{folder}/data", "--retention", ""])
        try:
            wait_until_ready(base + "/readyz", process)
            subprocess.run([binary, "simulate", "article", "--server", base, "--searches", searches, "--seed", seed,
                            "--until", UNTIL, "--log", str(log_file), "--quiet"], check=True)
            server, log = Server(base), Log(log_file.read_text().splitlines())
            calls = attempts(log.searches)
            server.wait_until_stored((len(log.searches), len(log.searches) + len(calls), sum(1 for call in calls if call["error"])))
            for test in TESTS:
                print(f"{test.__name__.replace('_', ' ')}:")
                try:
                    test(server, log, figures)
                except (AssertionError, KeyError, IndexError, TypeError, OSError):
                    figures.failed += 1
                    print(f"FAIL {test.__name__}")
                    traceback.print_exc(file=sys.stdout)
        finally:
            process.terminate()
            process.wait()
    print(f"{figures.passed} passed, {figures.failed} failed")
    sys.exit(1 if figures.failed or not figures.passed else 0)


if __name__ == "__main__":
    main()
