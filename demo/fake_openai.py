#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fake OpenAI-compatible server (loopback, tests only). Needs aiohttp.

  POST {any prefix}/chat/completions     streams or answers at once
  POST {any prefix}/embeddings           8-dim vectors
  POST /{index}/_search                  canned hybrid-search hits (three)

The model name (or the engine/deployment in the path) picks a behaviour:
  ok-*            normal
  rate-limit-N    the first N requests per (model, prompt) get 429 + retry-after, then normal
  drop-N          the connection is cut after N streamed tokens
  err500          HTTP 500
Anything else behaves as ok.
"""
import argparse, asyncio, collections, json, random, time, zlib
from aiohttp import web

WORDS = ("Elasticsearch stores data in shards and each shard is a Lucene index . The APM agent sends "
         "transactions and spans to the server in batches , so a slow query shows up as one wide bar in the "
         "waterfall . Use the profile API to see where time goes , then tune the mapping or the query .").split()
ATT = collections.Counter()

def model_of(req, body):
    p = req.path
    if "/engines/" in p:
        return p.split("/engines/")[1].split("/")[0]
    if "/deployments/" in p:
        return p.split("/deployments/")[1].split("/")[0]
    return body.get("model", "ok")

def usage(body, n):
    txt = " ".join(str(m.get("content")) for m in body.get("messages", []))
    pt = max(1, len(txt) // 4)
    return {"prompt_tokens": pt, "completion_tokens": n, "total_tokens": pt + n,
            "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}

async def chat(req):
    body = await req.json()
    model = model_of(req, body)
    cfg = req.app["cfg"]
    key = (model, json.dumps(body.get("messages"))[:400])
    if model.startswith("rate-limit-"):
        ATT[key] += 1
        if ATT[key] <= int(model.rsplit("-", 1)[1]):
            return web.json_response({"error": {"message": "Rate limit reached for requests. Please retry after 1 second.",
                "type": "requests", "param": None, "code": "rate_limit_exceeded"}}, status=429,
                headers={"retry-after": "1", "retry-after-ms": "200", "x-ratelimit-limit-requests": "3",
                         "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"})
    if model == "err500":
        return web.json_response({"error": {"message": "The server had an error", "type": "server_error"}}, status=500)
    drop = int(model.split("-")[1]) if model.startswith("drop-") else None
    n = int(body.get("max_tokens") or body.get("max_completion_tokens") or cfg.tokens)
    n = min(n, cfg.tokens)
    if cfg.vary:
        n = max(1, int(n * (.4 + 1.2 * (zlib.crc32(json.dumps(body.get("messages")).encode()) % 1000) / 1000)))
    cid = "chatcmpl-%08x" % random.getrandbits(32)
    created = int(time.time())
    toks = [(" " if i else "") + WORDS[i % len(WORDS)] for i in range(n)]
    tools = body.get("tools")
    if not body.get("stream"):
        await asyncio.sleep(cfg.gap * n * .5)
        msg = {"role": "assistant", "content": "".join(toks), "refusal": None}
        fin = "stop"
        if tools and not any(m.get("role") == "tool" for m in body["messages"]):
            msg = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function",
                   "function": {"name": tools[0]["function"]["name"], "arguments": "{\"query\": \"shards\"}"}}]}
            fin = "tool_calls"
        return web.json_response({"id": cid, "object": "chat.completion", "created": created, "model": model + "-2024-07-18",
            "choices": [{"index": 0, "message": msg, "finish_reason": fin, "logprobs": None}],
            "usage": usage(body, n), "system_fingerprint": "fp_fake", "service_tier": "default"})
    r = web.StreamResponse(headers={"content-type": "text/event-stream", "openai-processing-ms": "12", "x-request-id": "req_" + cid})
    await r.prepare(req)
    async def put(delta, fin=None, u=None, choices=True):
        d = {"id": cid, "object": "chat.completion.chunk", "created": created, "model": model + "-2024-07-18",
             "choices": [{"index": 0, "delta": delta, "finish_reason": fin}] if choices else []}
        if (body.get("stream_options") or {}).get("include_usage"):
            d["usage"] = u
        await r.write(b"data: " + json.dumps(d).encode() + b"\n\n")
    await asyncio.sleep(cfg.ttft)
    await put({"role": "assistant"})
    for i, t in enumerate(toks):
        if drop is not None and i >= drop:
            req.transport.abort()
            return r
        await put({"content": t})
        await asyncio.sleep(cfg.gap * random.uniform(.6, 1.4))
    await put({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        await put(None, None, usage(body, n), choices=False)
    await r.write(b"data: [DONE]\n\n")
    await r.write_eof()
    return r

async def emb(req):
    body = await req.json()
    inp = body["input"] if isinstance(body["input"], list) else [body["input"]]
    return web.json_response({"object": "list", "model": body.get("model", "text-embedding-3-small"),
        "data": [{"object": "embedding", "index": i, "embedding": [random.random() for _ in range(8)]} for i in range(len(inp))],
        "usage": {"prompt_tokens": 8 * len(inp), "total_tokens": 8 * len(inp)}})

async def es(req):
    await req.read()
    await asyncio.sleep(.04)
    hits = [{"_index": "search-elastic-docs", "_id": str(i), "_score": 12.5 - i,
             "fields": {"title": ["Doc %d" % i], "url": ["https://example.org/docs/%d" % i], "product_name": ["elasticsearch"],
                        "body_content": [("Body of document %d . " % i) * (40 * (i + 1))]}} for i in range(3)]
    return web.json_response({"took": 31, "timed_out": False, "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0},
        "hits": {"total": {"value": 3, "relation": "eq"}, "max_score": 12.5, "hits": hits},
        "aggregations": {"all_products": {"doc_count": 3, "filtered": {"doc_count": 3, "products": {"buckets": []}}}}},
        headers={"x-elastic-product": "Elasticsearch"})

def main():
    a = argparse.ArgumentParser()
    a.add_argument("--port", type=int, default=8081)
    a.add_argument("--tokens", type=int, default=60)
    a.add_argument("--gap", type=float, default=.010)
    a.add_argument("--ttft", type=float, default=.120)
    a.add_argument("--vary", action="store_true", help="answers of 0.4 to 1.6 times --tokens, the same for the same prompt")
    cfg = a.parse_args()
    app = web.Application(client_max_size=64 << 20)
    app["cfg"] = cfg
    app.router.add_post("/{p:.*}/chat/completions", chat)
    app.router.add_post("/{p:.*}/embeddings", emb)
    app.router.add_post("/{index}/_search", es)
    app.router.add_get("/", lambda r: web.json_response({"name": "fake", "cluster_name": "fake", "version": {"number": "8.15.0"},
        "tagline": "You Know, for Search"}, headers={"x-elastic-product": "Elasticsearch"}))
    web.run_app(app, host="127.0.0.1", port=cfg.port, print=None)
main()
