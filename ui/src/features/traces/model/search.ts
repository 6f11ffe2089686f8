/** Search in a trace: words of a name, service, type or id, and `failed`, `>250ms`, `<2s`, `kind:llm`. All must match. */

import { flag, has, kindOf, type Trace } from './trace';

const unitUs: Record<string, number> = { us: 1, µs: 1, ms: 1e3, s: 1e6 };

type Test = (i: number) => boolean;

function testOf(trace: Trace, word: string): Test {
  const limit = /^(?:dur(?:ation)?)?(>=?|<=?)(\d+(?:\.\d+)?)(us|µs|ms|s)$/.exec(word);
  if (limit) {
    const us = Number(limit[2]) * (unitUs[limit[3] ?? ''] ?? 1);
    const sign = limit[1] ?? '>';
    return (i) => {
      const d = trace.duration[i] ?? 0;
      return sign === '>' ? d > us : sign === '>=' ? d >= us : sign === '<' ? d < us : d <= us;
    };
  }
  const kind = /^kind:([a-z]+)$/.exec(word);
  if (kind) return (i) => kindOf(trace, i) === kind[1];
  if (word === 'failed') return (i) => has(trace, i, flag.failure);
  if (word === 'error') return (i) => (trace.errorCount[i] ?? 0) > 0 || has(trace, i, flag.failure);
  const matching = (texts: readonly string[]) =>
    Uint8Array.from(texts, (text) => (text.toLowerCase().includes(word) ? 1 : 0));
  const names = matching(trace.names);
  const services = matching(trace.services);
  const types = matching(trace.types);
  const status = /^\d{3}$/.test(word) ? Number(word) : 0;
  return (i) =>
    names[trace.name[i] ?? -1] === 1 ||
    services[trace.service[i] ?? -1] === 1 ||
    types[trace.type[i] ?? -1] === 1 ||
    trace.ids[i] === word ||
    (status > 0 && trace.statusCode[i] === status);
}

/** Items that match, in display order. */
export function searchTrace(trace: Trace, text: string): Int32Array {
  const words = text
    .toLowerCase()
    .replace(/([<>]=?)\s+/g, '$1')
    .split(/\s+/)
    .filter(Boolean);
  if (words.length === 0) return new Int32Array(0);
  const tests = words.map((word) => testOf(trace, word));
  const hits = new Int32Array(trace.size);
  let used = 0;
  for (let i = 0; i < trace.size; i++) if (tests.every((test) => test(i))) hits[used++] = i;
  return hits.slice(0, used);
}

/** The hits and all above them. */
export function keepWithAncestors(trace: Trace, hits: Int32Array): Uint8Array {
  const keep = new Uint8Array(trace.size);
  for (const hit of hits) {
    let at = hit;
    while (at >= 0 && keep[at] === 0) {
      keep[at] = 1;
      const up = trace.parent[at] ?? -1;
      at = up < at ? up : -1;
    }
  }
  return keep;
}
