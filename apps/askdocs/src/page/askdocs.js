// The page: a question, three answers that stream in, and what each of them took.
"use strict";

const $ = (id) => document.getElementById(id);
const session = (() => {
  try {
    const known = sessionStorage.getItem("session");
    const id = known ?? crypto.randomUUID?.() ?? Math.random().toString(36).slice(2);
    sessionStorage.setItem("session", id);
    return id;
  } catch {
    return undefined;
  }
})();

let about = {};
/** Done when `about` is known, or never will be. */
let described;
/** The question that is being answered: its cards, and how to stop it. */
let running = null;

function start() {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask($("question").value);
  });
  $("stop").addEventListener("click", stop);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running) {
      // Or the browser would empty the question's field.
      event.preventDefault();
      stop();
    }
    if (event.key === "/" && document.activeElement !== $("question")) {
      event.preventDefault();
      $("question").focus();
    }
  });
  addEventListener("popstate", fromAddress);
  described = describe();
  fromAddress();
}

async function describe() {
  try {
    about = await (await fetch("/api/about")).json();
  } catch {
    $("status").textContent = "The server does not answer. Is askdocs still running?";
    return;
  }
  $("model").textContent = about.model;
  $("caution").hidden = false;
  $("licence").textContent = about.licence ?? "";
  $("examples").replaceChildren(...about.examples.map((question) => {
    const button = element("button", { type: "button", textContent: question });
    button.addEventListener("click", () => ask(question));
    return button;
  }));
  showIndex();
}

function showIndex() {
  const parts = [`answered by ${about.model}`];
  if (about.passages != null) {
    parts.unshift(`${about.passages.toLocaleString()} passages`);
    if (about.embedding_model && about.embedded < about.passages) {
      parts.push(`${about.embedded.toLocaleString()} of the passages are found by meaning so far, all by words`);
      setTimeout(async () => {
        try {
          about = await (await fetch("/api/about")).json();
          showIndex();
        } catch { /* said when the next question is asked */ }
      }, 5000);
    }
  }
  $("about").textContent = parts.join(" · ");
}

/** A question is an address, so that it can be shared. */
function fromAddress() {
  const question = new URLSearchParams(location.search).get("q");
  if (question) {
    ask(question, false);
  } else {
    stop();
    $("answers").replaceChildren();
    $("status").textContent = "";
    $("question").value = "";
  }
}

async function ask(text, remember = true) {
  const question = text.trim();
  if (!question) return;
  stop();
  if (remember) history.pushState(null, "", `?q=${encodeURIComponent(question)}`);
  document.title = `${question} – Ask the documentation`;
  $("question").value = question;
  $("answers").replaceChildren();
  $("status").textContent = "Searching …";
  const controller = new AbortController();
  const mine = { controller, cards: [], question };
  running = mine;
  busy(true);
  try {
    await described;
    const response = await fetch("/api/ask", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ question, session, awaits_feedback: true }),
      signal: controller.signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    await events(response.body, (update) => running === mine && show(mine, update));
    if (!mine.ended) throw new Error("the connection was closed before the end");
  } catch (error) {
    if (running === mine && !controller.signal.aborted) {
      $("status").textContent = `Something went wrong: ${error.message}. Ask again, or see the log of askdocs.`;
      settle(mine);
    }
  } finally {
    if (running === mine) {
      running = null;
      busy(false);
    }
  }
}

function stop() {
  if (!running) return;
  const stopped = running;
  running = null;
  stopped.controller.abort();
  settle(stopped);
  busy(false);
  $("status").textContent = "Stopped.";
}

function settle({ cards }) {
  for (const card of cards) card.answer.setAttribute("aria-busy", "false");
}

/** One button takes the other's place, and its focus. */
function busy(isBusy) {
  const [shown, hidden] = isBusy ? [$("stop"), $("ask")] : [$("ask"), $("stop")];
  const had = document.activeElement === hidden;
  shown.hidden = false;
  hidden.hidden = true;
  if (had) shown.focus();
}

/** Reads server-sent events from the body of a response. */
async function events(body, handle) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) handle(JSON.parse(part.slice("data: ".length)));
  }
}

function show(mine, update) {
  const card = mine.cards[update.answer];
  switch (update.type) {
    case "hits":
      showHits(mine, update);
      break;
    case "token":
      card.node.querySelector(".notice").hidden = true;
      card.answer.append(update.text);
      break;
    case "retry":
      notice(card, `${update.error}: ${update.message} Trying again in ${seconds(update.wait_milliseconds)} …`);
      break;
    case "answer":
      card.answer.setAttribute("aria-busy", "false");
      card.node.querySelector(".figures").textContent = figures(update);
      card.node.querySelector(".thumbs").hidden = false;
      break;
    case "failed":
      card.answer.setAttribute("aria-busy", "false");
      notice(card, `No answer. ${update.error}: ${update.message}`);
      break;
    case "search_failed":
      $("status").textContent = `The search failed: ${update.message}`;
      mine.failed = true;
      break;
    case "end":
      showEnd(mine, update);
      break;
  }
}

function showHits(mine, { hits, milliseconds }) {
  if (mine.failed) return;
  if (hits.length === 0) {
    $("status").textContent = "Nothing was found. Try other words, or one of the examples.";
    return;
  }
  $("status").textContent = `Found in ${seconds(milliseconds)}. ${about.model} is reading …`;
  mine.cards = hits.map((hit, index) => {
    const node = $("card").content.firstElementChild.cloneNode(true);
    const source = node.querySelector(".source");
    source.textContent = hit.title;
    const href = address(hit.link);
    if (href) {
      source.href = href;
      source.rel = "noopener";
      source.target = "_blank";
    }
    node.querySelector(".section").textContent = hit.section;
    node.querySelector(".passage").append(...hit.passage.map(({ text, marked }) => (marked ? element("mark", { textContent: text }) : text)));
    node.querySelector(".ranks").textContent = ranks(hit);
    node.setAttribute("aria-label", `Answer ${index + 1}, from ${hit.title}`);
    node.querySelector(".thumbs").setAttribute("aria-label", `Was answer ${index + 1} good?`);
    for (const thumb of node.querySelectorAll(".thumb")) {
      thumb.addEventListener("click", () => rate(mine, index, node, thumb));
    }
    return { node, answer: node.querySelector(".answer") };
  });
  $("answers").replaceChildren(...mine.cards.map(({ node }) => node));
}

function showEnd(mine, { id, tokens, cost, milliseconds }) {
  mine.ended = true;
  mine.id = id;
  for (const waiting of mine.thumbs ?? []) send(mine, ...waiting);
  if (mine.cards.length === 0) return;
  const total = [seconds(milliseconds), `${tokens.toLocaleString()} tokens`, ...(cost == null ? [] : [money(cost)])].join(" · ");
  $("status").replaceChildren(`All answers: ${total}. `);
  if (about.has_traces && id) {
    $("status").append(element("a", { href: `/trace/${id}`, textContent: "See this trace in Tokenfall", target: "_blank", rel: "noopener" }));
  }
}

function figures({ tokens, cost, milliseconds, first_token_milliseconds, model, finish_reason }) {
  const rate = tokens.output > 1 ? (tokens.output - 1) / ((milliseconds - first_token_milliseconds) / 1000) : null;
  return [
    model,
    `${tokens.input.toLocaleString()} + ${tokens.output.toLocaleString()} tokens (${tokens.source})`,
    cost == null ? "cost not known" : money(cost),
    `${seconds(milliseconds)}, first token after ${seconds(first_token_milliseconds)}`,
    ...(rate && Number.isFinite(rate) ? [`${rate.toFixed(1)} tokens/s`] : []),
    ...(finish_reason === "length" ? ["cut at the limit"] : []),
  ].join(" · ");
}

function ranks({ words_rank, meaning_rank }) {
  const parts = [words_rank && `place ${words_rank} by words`, meaning_rank && `place ${meaning_rank} by meaning`];
  return parts.filter(Boolean).join(", ");
}

/** Links are addresses, or paths below the documents that this server has. */
function address(link) {
  if (/^https?:\/\//.test(link)) return link;
  return about.has_documents && link ? `/docs/${link.replace(/^\/+/, "")}` : null;
}

function rate(mine, answer, node, pressed) {
  for (const thumb of node.querySelectorAll(".thumb")) thumb.setAttribute("aria-pressed", String(thumb === pressed));
  if (mine.id == null) (mine.thumbs ??= []).push([answer, pressed.dataset.thumb, node]);
  else send(mine, answer, pressed.dataset.thumb, node);
}

async function send({ id }, answer, thumb, node) {
  try {
    const response = await fetch("/api/feedback", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id, answer, thumb }),
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
  } catch (error) {
    notice({ node }, `Your thumb was not noted: ${error.message}`);
  }
}

function notice({ node }, text) {
  const place = node.querySelector(".notice");
  place.textContent = text;
  place.hidden = false;
}

function seconds(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Exact decimal text, to two digits that are not zero. */
function money(usd) {
  const cents = Number(usd) * 100;
  return `${cents.toLocaleString(undefined, { maximumSignificantDigits: 2 })} ¢`;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

start();
