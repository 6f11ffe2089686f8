/**
 * A trace as columns: what the waterfall is drawn from. Answers "what is item i?" in constant time.
 *
 * Items are numbered in display order (pre-order). Times are microseconds after the start of the trace. There is no object
 * per item and no recursion, so a trace of 100,000 items is loaded and walked like one of ten.
 */

import type { TraceError, TraceSkeleton } from '../../../api/types';

/** Bits of `flags`, as the API defines them. */
export const flag = {
  transaction: 1,
  failure: 2,
  success: 4,
  async: 8,
  orphan: 16,
  skewCorrected: 32,
  compositeExact: 64,
  compositeSameKind: 128,
  generation: 256,
  tokens: 512,
} as const;

export const kinds = ['llm', 'retrieval', 'http', 'db', 'tool', 'other'] as const;
export type Kind = (typeof kinds)[number];

export interface Trace {
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly size: number;
  readonly complete: boolean;
  readonly droppedSpans: number;
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly services: readonly string[];
  readonly types: readonly string[];
  readonly parent: Int32Array;
  /** First item after the subtree of this one. */
  readonly end: Int32Array;
  readonly depth: Int32Array;
  readonly offset: Float64Array;
  readonly duration: Float64Array;
  readonly name: Uint32Array;
  readonly service: Uint32Array;
  readonly type: Uint32Array;
  /** Index into `kinds`. */
  readonly kind: Uint8Array;
  readonly flags: Uint32Array;
  readonly compositeCount: Float64Array;
  readonly compositeSum: Float64Array;
  readonly statusCode: Uint16Array;
  readonly errorCount: Uint32Array;
  /** Errors in this item and below it. */
  readonly errorsBelow: Uint32Array;
  readonly attempt: Uint32Array;
  /** Item of the attempt before; −1 if there is none. */
  readonly attemptBefore: Int32Array;
  readonly attemptAfter: Int32Array;
  /** −1 if not known. */
  readonly firstChunk: Float64Array;
  readonly chunks: Float64Array;
  /** When the chunks of a streamed answer came, in microseconds after the start of the item. Only where the agent said so. */
  readonly arrivals: ReadonlyMap<number, Float64Array>;
  /** Chunks that each of the arrivals stands for, where it is more than one. */
  readonly chunksPerArrival: ReadonlyMap<number, number>;
  /** Place among its siblings, from 1, and their number. */
  readonly position: Uint32Array;
  readonly siblings: Uint32Array;
  readonly errors: readonly TraceError[];
  /** Items with errors of their own, in display order. */
  readonly itemsWithErrors: Int32Array;
  readonly path: CriticalPath;
  readonly groups: Groups;
}

/** Segments of the critical path in the order of their items, with where each item's begin. */
export interface CriticalPath {
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Segments of item i are those from `first[i]` up to `first[i + 1]`. */
  readonly first: Int32Array;
  /** Time on the path by kind, in microseconds. */
  readonly byKind: Float64Array;
  readonly total: number;
}

/** Runs of at least `groupMin` consecutive siblings that are alike and have nothing below them; one row until opened. */
export interface Groups {
  readonly first: Int32Array;
  /** First item after the last member's subtree. */
  readonly end: Int32Array;
  readonly count: Int32Array;
  readonly sum: Float64Array;
  /** Latest end of a member. */
  readonly until: Float64Array;
  /** Group of which item i is a member; −1 if there is none. */
  readonly of: Int32Array;
}

export const groupMin = 5;

export function buildTrace(skeleton: TraceSkeleton): Trace {
  const n = skeleton.id.length;
  const parent = Int32Array.from(skeleton.parent);
  const end = new Int32Array(n);
  const depth = new Int32Array(n);
  const position = new Uint32Array(n);
  const siblings = new Uint32Array(n);
  const errorCount = Uint32Array.from(skeleton.error_count);
  const errorsBelow = Uint32Array.from(errorCount);
  for (let i = 0; i < n; i++) {
    const p = parent[i] ?? -1;
    end[i] = Math.min(n, i + Math.max(1, skeleton.subtree[i] ?? 1));
    depth[i] = p >= 0 && p < i ? (depth[p] ?? 0) + 1 : 0;
  }
  for (let i = n - 1; i >= 0; i--) {
    const p = parent[i] ?? -1;
    if (p >= 0 && p < i) errorsBelow[p] = (errorsBelow[p] ?? 0) + (errorsBelow[i] ?? 0);
  }
  const flags = Uint32Array.from(skeleton.flags);
  const trace = {
    id: skeleton.trace_id,
    startUs: skeleton.start_us,
    durationUs: Math.max(1, skeleton.duration_us),
    size: n,
    complete: skeleton.complete,
    droppedSpans: skeleton.dropped_spans,
    ids: skeleton.id,
    names: skeleton.names,
    services: skeleton.services,
    types: skeleton.types,
    parent,
    end,
    depth,
    offset: Float64Array.from(skeleton.offset_us),
    duration: Float64Array.from(skeleton.duration),
    name: Uint32Array.from(skeleton.name),
    service: Uint32Array.from(skeleton.service),
    type: Uint32Array.from(skeleton.type),
    kind: Uint8Array.from(skeleton.kind, (kind) => Math.max(0, kinds.indexOf(kind))),
    flags,
    compositeCount: Float64Array.from(skeleton.composite_count),
    compositeSum: Float64Array.from(skeleton.composite_sum_us),
    statusCode: Uint16Array.from(skeleton.status_code),
    errorCount,
    errorsBelow,
    attempt: Uint32Array.from(skeleton.attempt),
    firstChunk: Float64Array.from(skeleton.first_chunk_us),
    chunks: Float64Array.from(skeleton.chunks),
    arrivals: new Map(skeleton.arrivals.map(({ item, offsets_us }) => [item, Float64Array.from(offsets_us)])),
    chunksPerArrival: new Map(
      skeleton.arrivals.filter((a) => a.chunks_per_offset > 1).map((a) => [a.item, a.chunks_per_offset]),
    ),
    position,
    siblings,
    errors: skeleton.errors,
    itemsWithErrors: Int32Array.from(errorCount.keys()).filter((i) => (errorCount[i] ?? 0) > 0),
  };
  const groups = findGroups(trace);
  const [attemptBefore, attemptAfter] = joinAttempts(trace);
  return { ...trace, groups, attemptBefore, attemptAfter, path: sortPath(skeleton, trace.kind) };
}

type Columns = Pick<
  Trace,
  | 'size'
  | 'parent'
  | 'end'
  | 'offset'
  | 'duration'
  | 'name'
  | 'service'
  | 'type'
  | 'kind'
  | 'flags'
  | 'errorsBelow'
  | 'attempt'
  | 'position'
  | 'siblings'
>;

/** Walks each family once: numbers the siblings and finds runs of like ones. */
function findGroups(t: Columns): Groups {
  const of = new Int32Array(t.size).fill(-1);
  const first: number[] = [];
  const ends: number[] = [];
  const counts: number[] = [];
  const sums: number[] = [];
  const untils: number[] = [];
  const alike = (a: number, b: number) =>
    t.end[a] === a + 1 &&
    t.end[b] === b + 1 &&
    t.name[a] === t.name[b] &&
    t.kind[a] === t.kind[b] &&
    t.type[a] === t.type[b] &&
    t.service[a] === t.service[b] &&
    ((t.flags[a] ?? 0) & (flag.failure | flag.transaction | flag.generation)) ===
      ((t.flags[b] ?? 0) & (flag.failure | flag.transaction | flag.generation)) &&
    t.errorsBelow[a] === 0 &&
    t.errorsBelow[b] === 0;
  for (let p = -1; p < t.size; p++) {
    const stop = p < 0 ? t.size : (t.end[p] ?? 0);
    let runStart = p + 1;
    let runLength = 0;
    let place = 0;
    const close = (next: number) => {
      if (runLength >= groupMin) {
        let sum = 0;
        let until = 0;
        for (let c = runStart; c < next; c = t.end[c] ?? next) {
          of[c] = first.length;
          sum += t.duration[c] ?? 0;
          until = Math.max(until, (t.offset[c] ?? 0) + (t.duration[c] ?? 0));
        }
        first.push(runStart);
        ends.push(next);
        counts.push(runLength);
        sums.push(sum);
        untils.push(until);
      }
    };
    let child = p + 1;
    while (child < stop) {
      t.position[child] = ++place;
      if (runLength > 0 && alike(runStart, child)) {
        runLength++;
      } else {
        close(child);
        runStart = child;
        runLength = 1;
      }
      child = Math.max(child + 1, t.end[child] ?? 0);
    }
    close(child);
    for (let c = p + 1; c < stop; c = Math.max(c + 1, t.end[c] ?? 0)) t.siblings[c] = place;
  }
  return {
    first: Int32Array.from(first),
    end: Int32Array.from(ends),
    count: Int32Array.from(counts),
    sum: Float64Array.from(sums),
    until: Float64Array.from(untils),
    of,
  };
}

/** Joins attempt k + 1 with the attempt k among its siblings that ended first before it began and has no successor yet. */
function joinAttempts(t: Columns): [before: Int32Array, after: Int32Array] {
  const before = new Int32Array(t.size).fill(-1);
  const after = new Int32Array(t.size).fill(-1);
  const families = new Map<string, number[]>();
  for (let i = 0; i < t.size; i++) {
    if ((t.attempt[i] ?? 0) === 0) continue;
    const key = `${t.parent[i]}/${t.name[i]}/${t.type[i]}`;
    const family = families.get(key);
    if (family) family.push(i);
    else families.set(key, [i]);
  }
  for (const family of families.values()) {
    family.sort((a, b) => (t.offset[a] ?? 0) - (t.offset[b] ?? 0));
    for (const [k, i] of family.entries()) {
      const wanted = (t.attempt[i] ?? 0) - 1;
      let best = -1;
      let bestEnd = Number.POSITIVE_INFINITY;
      // A family is the attempts at one thing under one parent; looking back is bounded for hostile ones.
      for (let b = k - 1; b >= Math.max(0, k - 256) && wanted > 0; b--) {
        const candidate = family[b] ?? -1;
        const ended = (t.offset[candidate] ?? 0) + (t.duration[candidate] ?? 0);
        if (
          t.attempt[candidate] === wanted &&
          after[candidate] === -1 &&
          ended <= (t.offset[i] ?? 0) &&
          ended < bestEnd
        ) {
          best = candidate;
          bestEnd = ended;
        }
      }
      if (best >= 0) {
        before[i] = best;
        after[best] = i;
      }
    }
  }
  return [before, after];
}

function sortPath(skeleton: TraceSkeleton, kind: Uint8Array): CriticalPath {
  const n = skeleton.id.length;
  const segments = skeleton.critical_path.filter((s) => s.item >= 0 && s.item < n);
  const first = new Int32Array(n + 1);
  for (const s of segments) first[s.item + 1] = (first[s.item + 1] ?? 0) + 1;
  for (let i = 0; i < n; i++) first[i + 1] = (first[i + 1] ?? 0) + (first[i] ?? 0);
  const next = first.slice();
  const from = new Float64Array(segments.length);
  const to = new Float64Array(segments.length);
  const byKind = new Float64Array(kinds.length);
  let total = 0;
  for (const s of segments) {
    const at = next[s.item] ?? 0;
    next[s.item] = at + 1;
    from[at] = s.from_us;
    to[at] = s.to_us;
    const k = kind[s.item] ?? 0;
    byKind[k] = (byKind[k] ?? 0) + s.to_us - s.from_us;
    total += s.to_us - s.from_us;
  }
  return { from, to, first, byKind, total };
}

/** Time that item i alone was waited for. */
export function timeOnPath(trace: Trace, i: number): number {
  let sum = 0;
  for (let s = trace.path.first[i] ?? 0; s < (trace.path.first[i + 1] ?? 0); s++) {
    sum += (trace.path.to[s] ?? 0) - (trace.path.from[s] ?? 0);
  }
  return sum;
}

export function has(trace: Trace, i: number, bits: number): boolean {
  return ((trace.flags[i] ?? 0) & bits) !== 0;
}

export function nameOf(trace: Trace, i: number): string {
  return trace.names[trace.name[i] ?? -1] ?? '';
}

export function serviceOf(trace: Trace, i: number): string {
  return trace.services[trace.service[i] ?? -1] ?? '';
}

export function typeOf(trace: Trace, i: number): string {
  return trace.types[trace.type[i] ?? -1] ?? '';
}

export function kindOf(trace: Trace, i: number): Kind {
  return kinds[trace.kind[i] ?? -1] ?? 'other';
}

export function itemById(trace: Trace, id: string): number {
  return trace.ids.indexOf(id);
}
