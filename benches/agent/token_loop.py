# SPDX-License-Identifier: Apache-2.0
"""The article's token loop with Elastic's Python agent: nanoseconds of CPU time per token span.

Run by any Python; the agent comes from the environment of the demo. What would be sent is thrown away.
"""
import os
import pathlib
import statistics
import sys
import time

DEMO = pathlib.Path(__file__).resolve().parents[2] / "demo"
ROUNDS = 50
TOKENS = 400

try:
    import elasticapm
    from elasticapm.transport.base import Transport
except ImportError:
    sys.path.insert(0, str(DEMO))
    import environment

    python = environment.python_with("requirements.txt")
    os.execv(python, [python, __file__])


class Discard(Transport):
    """Throws events away instead of queueing them for a server."""

    def queue(self, *_args, **_kwargs):
        pass

    def start_thread(self, *_args, **_kwargs):
        pass

    def close(self):
        pass


client = elasticapm.Client(service_name="overhead", transport_class="__main__.Discard", metrics_interval="0s",
                           central_config=False, cloud_provider="none")
times = []
for _ in range(ROUNDS):
    client.begin_transaction("request")
    with elasticapm.capture_span("openaiChatCompletion", span_type="openai"):
        start = time.thread_time_ns()
        for _ in range(TOKENS):
            with elasticapm.capture_span("token", leaf=True, span_type="http"):
                pass
        times.append((time.thread_time_ns() - start) / TOKENS)
    client.end_transaction("user-query")
client.close()
print(f"token span with elastic-apm {elasticapm.VERSION} on Python {sys.version.split()[0]}: "
      f"{statistics.median(times):.0f} ns of CPU time")
