/** Events to send: recorded ones moved to now, and large made-up traces. */

import { readFileSync } from 'node:fs';

/** A recorded intake body whose newest event happens `beforeMs` before now. Ids stay as they were recorded. */
export function recorded(folder, beforeMs = 2000) {
  const file = new URL(`../../tests/fixtures/captured/${folder}/004.ndjson`, import.meta.url);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const event = (line) => line.transaction ?? line.span ?? line.error ?? line.metricset;
  const newest = Math.max(...lines.map((line) => event(line)?.timestamp ?? 0));
  const move = (Date.now() - beforeMs) * 1000 - newest;
  for (const line of lines) {
    const one = event(line);
    if (one?.timestamp) one.timestamp += move;
  }
  const transaction = lines.find((line) => line.transaction)?.transaction;
  return { body: lines.map((line) => JSON.stringify(line)).join('\n'), traceId: transaction.trace_id };
}

const hex = (n, digits) => n.toString(16).padStart(digits, '0');

/** One trace of a transaction with `spans` spans below it, in intake bodies of a bearable size. */
export function large(spans, traceId) {
  const start = Date.now() * 1000 - 60_000_000;
  const metadata = JSON.stringify({ metadata: { service: { name: 'large', agent: { name: 'test', version: '1' } } } });
  const root = traceId.slice(0, 16);
  const id = (i) => `${traceId.slice(0, 6)}${hex(i, 10)}`;
  const bodies = [];
  let lines = [metadata];
  const put = (line) => {
    lines.push(JSON.stringify(line));
    if (lines.length > 2000) {
      bodies.push(lines.join('\n'));
      lines = [metadata];
    }
  };
  const base = { trace_id: traceId, transaction_id: root };
  for (let i = 0; i < spans; i++) {
    const step = i % 14;
    const request = i - step;
    const at = Math.floor((request / spans) * 9_000_000);
    const parent = step === 0 ? root : id(request);
    const offset = step === 0 ? at : at + step * 3000;
    const kinds = [
      ['handle request', 'app', null],
      ['SELECT documents', 'db', 'postgresql'],
      ['POST model', 'external', 'http'],
      ['chat', 'openai', null],
    ];
    const [name, type, subtype] = kinds[step === 0 ? 0 : 1 + (step % 3)];
    put({
      span: {
        ...base,
        id: id(i),
        parent_id: parent,
        name,
        type,
        subtype,
        timestamp: start + offset,
        duration: step === 0 ? 60 : 2.5,
        outcome: i % 997 === 13 ? 'failure' : 'success',
      },
    });
  }
  put({
    transaction: {
      id: root,
      trace_id: traceId,
      name: `large ${spans}`,
      type: 'request',
      timestamp: start,
      duration: 9100,
      outcome: 'success',
      sampled: true,
      span_count: { started: spans },
    },
  });
  bodies.push(lines.join('\n'));
  return bodies;
}

export async function send(url, body, headers = {}) {
  const answer = await fetch(`${url}/intake/v2/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body,
  });
  if (answer.status !== 202) throw new Error(`intake answered ${answer.status}: ${await answer.text()}`);
}
