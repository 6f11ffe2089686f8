#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As question_answering.py, with the current openai package (AsyncOpenAI, model=, usage chunk).

  pip install elastic-apm openai
  python question_answering_openai3.py --server http://127.0.0.1:8200 --llm http://127.0.0.1:8081 [--scenario ok|ratelimit|drop]"""
import argparse, asyncio, json, os, urllib.request

ap = argparse.ArgumentParser()
ap.add_argument("--server", default="http://127.0.0.1:8200")
ap.add_argument("--llm", default="http://127.0.0.1:8081")
ap.add_argument("--scenario", default="ok")
ap.add_argument("--queries", type=int, default=1)
args = ap.parse_args()
os.environ.setdefault("ELASTIC_APM_SERVER_URL", args.server)

import elasticapm
import openai

MODEL = {"ok": "gpt-4o-mini", "ratelimit": "rate-limit-2", "drop": "drop-17"}[args.scenario]
apmClient = elasticapm.Client(service_name="elasticdocs-gpt-v3", environment="test", service_version="3.0.0",
                              global_labels={"team": "search"})
elasticapm.instrument()
llm = openai.AsyncOpenAI(base_url=args.llm + "/v1", api_key="not-a-key", max_retries=0)


async def achat(prompt, result, index):
    for attempt in range(5):
        try:
            async with elasticapm.async_capture_span("openaiChatCompletion", span_type="openai", labels={"model": MODEL, "attempt": attempt}):
                out, usage = "", None
                stream = await llm.chat.completions.create(model=MODEL, stream=True, stream_options={"include_usage": True}, temperature=0,
                    messages=[{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prompt}])
                async for chunk in stream:
                    with elasticapm.capture_span("token", leaf=True, span_type="http"):
                        if chunk.usage: usage = chunk.usage
                        if chunk.choices and chunk.choices[0].delta.content:
                            out += chunk.choices[0].delta.content
            result[index] = usage
            return
        except openai.RateLimitError as e:
            elasticapm.get_client().capture_exception(handled=True)
            await asyncio.sleep(float(e.response.headers.get("retry-after-ms", 500)) / 1000)
        except Exception:
            elasticapm.get_client().capture_exception()
            await asyncio.sleep(.05)


async def main(q):
    apmClient.begin_transaction("request")
    elasticapm.set_user_context(username="ada", email="ada@example.org", user_id="42")
    elasticapm.set_custom_context({"session": "s-1", "ab": {"arm": "b"}})
    elasticapm.label(query=q)
    res = [None] * 3
    try:
        await asyncio.gather(*(achat("%s (%d)" % (q, i), res, i) for i in range(3)))
        tin = sum(u.prompt_tokens for u in res if u); tout = sum(u.completion_tokens for u in res if u)
        elasticapm.label(openai_tokens=tin + tout, openai_cost=tin * .15e-6 + tout * .6e-6)
        elasticapm.set_transaction_outcome("success" if all(res) else "failure")
    finally:
        apmClient.end_transaction("user-query")
    return res

for i in range(args.queries):
    print(asyncio.run(main("how do I set the number of shards? %d" % i)))
apmClient.close()
