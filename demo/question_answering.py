#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A question-answering client as published articles write it: Elastic's APM Python agent, unmodified, and openai 0.27.
One transaction "user-query", a search call, three parallel streaming chat completions each in an
async span 'openaiChatCompletion', one leaf span "token" per streamed chunk, retry loop with capture_exception.

  pip install elastic-apm "openai==0.27.10" aiohttp
  python question_answering.py --server http://127.0.0.1:8200 --llm http://127.0.0.1:8081 [--scenario ok|ratelimit|fail|drop|unhandled]
Agent defaults otherwise; any ELASTIC_APM_* variable still applies."""
import argparse, asyncio, json, os, sys, time, urllib.request

ap = argparse.ArgumentParser()
ap.add_argument("--server", default="http://127.0.0.1:8200")
ap.add_argument("--llm", default="http://127.0.0.1:8081")
ap.add_argument("--scenario", default="ok")
ap.add_argument("--queries", type=int, default=1)
ap.add_argument("--question", action="append", help="ask this; may be given several times, instead of --queries")
args = ap.parse_args()
os.environ.setdefault("ELASTIC_APM_SERVER_URL", args.server)

import elasticapm
import openai
from openai.error import RateLimitError

ENGINE = {"ok": "gpt-35-turbo", "ratelimit": "rate-limit-2", "fail": "rate-limit-99", "drop": "drop-17", "unhandled": "gpt-35-turbo"}[args.scenario]
openai.api_type, openai.api_version, openai.api_key = "azure", "2023-05-15", "not-a-key"
openai.api_base = args.llm

apmClient = elasticapm.Client(service_name="elasticdocs-gpt-v2-streaming")
elasticapm.instrument()

SLEEP = 0.05 if os.environ.get("FAST") else 0.5


def search(query_text, size):
    body = {"size": size, "query": {"bool": {"should": [{"match": {"title": {"query": query_text, "boost": 1}}}]}},
            "knn": {"field": "title-vector", "k": 1, "num_candidates": 20, "boost": 24}}
    req = urllib.request.Request(args.llm + "/search-elastic-docs/_search", json.dumps(body).encode(), {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(req))


def truncate_text(text, max_tokens):
    t = text.split()
    return text if len(t) <= max_tokens else " ".join(t[:max_tokens])


async def achat_gpt(prompt, result, index, max_tokens=1024, max_context_tokens=4000, safety_margin=1000):
    truncated = truncate_text(prompt, max_context_tokens - max_tokens - safety_margin)
    tries, output, counter = 0, "", 0
    while tries < 5:
        try:
            output, counter = "", 0
            async with elasticapm.async_capture_span("openaiChatCompletion", span_type="openai"):
                async for chunk in await openai.ChatCompletion.acreate(
                        engine=ENGINE, stream=True, temperature=0, presence_penalty=-1, frequency_penalty=-1,
                        messages=[{"role": "system", "content": "You are a helpful assistant."},
                                  {"role": "user", "content": truncated}]):
                    content = chunk["choices"][0].get("delta", {}).get("content")
                    counter += 1
                    with elasticapm.capture_span("token", leaf=True, span_type="http"):
                        if content is not None:
                            output += content
            break
        except RateLimitError:
            elasticapm.get_client().capture_exception()
            tries += 1
            time.sleep(tries * tries * SLEEP)      # blocks the loop, as such listings do
        except Exception:
            elasticapm.get_client().capture_exception()
            tries += 1
            time.sleep(tries * tries * SLEEP)
    result[index] = {"usage": {"total_tokens": counter}, "choices": [{"message": {"content": output}}], "tries": tries}


def user_query(query):
    apmClient.begin_transaction("user-query")
    try:
        elasticapm.label(query=query)
        resp = search(query, 3)
        results = [None] * 3
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        tasks = []
        if args.scenario == "unhandled":
            raise KeyError("body_content")
        with elasticapm.capture_span("individual-results", "openai"):
            for i, hit in enumerate(resp["hits"]["hits"]):
                prompt = "Answer this question: %s\n%s" % (query, hit["fields"]["body_content"][0])
                tasks.append(loop.create_task(achat_gpt(prompt, results, i)))
            loop.run_until_complete(asyncio.wait(tasks))
        loop.close()
        tokens = sum(r["usage"]["total_tokens"] + len(resp["hits"]["hits"][i]["fields"]["body_content"][0]) / 4 for i, r in enumerate(results))
        elasticapm.label(openai_tokens=tokens)
        elasticapm.label(openai_cost=tokens / 1000 * 0.002)
        elasticapm.set_transaction_outcome("failure" if any(r["tries"] == 5 for r in results) else "success")
        apmClient.end_transaction("user-query")
        return [r["usage"]["total_tokens"] for r in results], [r["tries"] for r in results]
    except Exception as e:
        apmClient.capture_exception()
        elasticapm.set_transaction_outcome("failure")
        apmClient.end_transaction("user-query")
        return repr(e)


for question in args.question or ["how do I set the number of shards? (%d)" % q for q in range(args.queries)]:
    print(question, user_query(question))
apmClient.close()
print("done", "elastic-apm", elasticapm.VERSION if hasattr(elasticapm, "VERSION") else "", "openai", openai.version.VERSION)
