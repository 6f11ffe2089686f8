import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseLanguage } from '../src/base/i18n';
import { describeRow, levelAttributes } from '../src/features/traces/model/describe';
import {
  collapseAll,
  groupOf,
  isGroup,
  nothingFolded,
  reveal,
  rowIndex,
  stepLevel,
  visibleRows,
} from '../src/features/traces/model/rows';
import { clampZoom, pan, ticks, toTime, toX, zoomAround } from '../src/features/traces/model/scale';
import { keepWithAncestors, searchTrace } from '../src/features/traces/model/search';
import { buildTrace, flag, has, kinds, nameOf, type Trace, timeOnPath } from '../src/features/traces/model/trace';
import { place, selectBars } from '../src/features/transactions/bars';
import { trace as skeleton, skeletonOf, transaction } from './fixtures';

beforeAll(() => chooseLanguage('en'));

const trace = buildTrace(skeleton);
const shown = (t: Trace, rows: Int32Array) =>
  [...rows].map((row) => describeRow(t, row).split(', ').slice(0, 2).join(' '));

/** A random forest in pre-order; few names, so that runs of like siblings are common. */
const forests = fc.array(fc.tuple(fc.nat(8), fc.nat(1), fc.nat(3)), { minLength: 1, maxLength: 120 }).map((steps) => {
  const parent: number[] = [];
  const path: number[] = [];
  for (const [i, [up]] of steps.entries()) {
    path.length = Math.max(0, path.length - (up % 3));
    parent.push(path.at(-1) ?? -1);
    path.push(i);
    if (path.length > 4) path.length = 4;
  }
  const n = steps.length;
  const subtree = new Array<number>(n).fill(1);
  // Pre-order needs a parent to be the item before or one of its ancestors, which the path gives.
  for (let i = n - 1; i > 0; i--) if (parent[i]! >= 0) subtree[parent[i]!] = subtree[parent[i]!]! + subtree[i]!;
  const base = skeletonOf(
    steps.map(([, name], i) => ({
      name: `n${name}`,
      type: 't',
      kind: 'db' as const,
      offset: i,
      duration: 10,
      flags: 4,
    })),
  );
  return buildTrace({ ...base, parent, subtree });
});

describe('rows', () => {
  it('shows the article’s trace', () => {
    expect(shown(trace, visibleRows(trace, nothingFolded))).toEqual([
      'user-query 1.79 s',
      'POST 127.0.0.1:8081 53.3 ms',
      'individual-results 1.73 s',
      'openaiChatCompletion 71.2 ms',
      'POST 127.0.0.1:8081 68.2 ms',
      'openaiChatCompletion 143 ms',
      'POST 127.0.0.1:8081 140 ms',
      'openaiChatCompletion 1.28 s',
      'POST 127.0.0.1:8081 258 ms',
      '62 × token 913 ms',
      'openaiChatCompletion 1.06 s',
      'POST 127.0.0.1:8081 258 ms',
      '62 × token 688 ms',
      '7 × SELECT documents Σ 28 ms',
      'write answer 3 ms',
    ]);
  });

  it('says of a composite that its times are not recorded', () => {
    const token = [...trace.ids.keys()].find((i) => nameOf(trace, i) === 'token') ?? -1;
    expect(describeRow(trace, token)).toContain('Σ 3.79 ms · avg 61 µs, exact times not recorded');
    expect(describeRow(trace, 3)).toContain('failed, 1 error, attempt 1');
  });

  it('opens a group to its members and closes it again', () => {
    const group = groupOf(visibleRows(trace, nothingFolded).find(isGroup)!);
    const opened = visibleRows(trace, { ...nothingFolded, opened: new Set([group]) });
    expect(opened.length).toBe(15 + 7);
  });

  it('shows every item exactly once when all is open, in order', () => {
    fc.assert(
      fc.property(forests, (t) => {
        const opened = new Set(t.groups.first.keys());
        const items = [...visibleRows(t, { ...nothingFolded, opened })].filter((row) => !isGroup(row));
        expect(items).toEqual([...t.ids.keys()]);
      }),
    );
  });

  it('hides exactly what is below collapsed items and in closed groups', () => {
    fc.assert(
      fc.property(forests, fc.array(fc.nat(119)), (t, picks) => {
        const collapsed = new Set(picks.filter((i) => i < t.size));
        const rows = visibleRows(t, { ...nothingFolded, collapsed });
        const index = rowIndex(t, rows);
        for (let i = 0; i < t.size; i++) {
          let hidden = false;
          for (let at = i; at >= 0; at = t.parent[at]!) {
            if (t.groups.of[at]! >= 0 || (at !== i && collapsed.has(at))) hidden = true;
          }
          expect(index[i] === -1).toBe(hidden);
        }
      }),
    );
  });

  it('reveals any item', () => {
    fc.assert(
      fc.property(forests, fc.nat(119), (t, pick) => {
        const item = pick % t.size;
        const folding = reveal(t, collapseAll(t), item);
        expect(rowIndex(t, visibleRows(t, folding))[item]).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('groups only runs of at least five alike siblings', () => {
    fc.assert(
      fc.property(forests, (t) => {
        for (let g = 0; g < t.groups.first.length; g++) {
          const members = [...t.ids.keys()].filter((i) => t.groups.of[i] === g);
          expect(members.length).toBe(t.groups.count[g]);
          expect(members.length).toBeGreaterThanOrEqual(5);
          expect(new Set(members.map((i) => `${t.parent[i]} ${nameOf(t, i)}`)).size).toBe(1);
        }
      }),
    );
  });

  it('numbers siblings for screen readers', () => {
    fc.assert(
      fc.property(forests, (t) => {
        for (let i = 0; i < t.size; i++) {
          const family = [...t.ids.keys()].filter((k) => t.parent[k] === t.parent[i]);
          expect(t.siblings[i]).toBe(family.length);
          expect(t.position[i]).toBe(family.indexOf(i) + 1);
        }
      }),
    );
    expect(levelAttributes(trace, 3)).toEqual({ 'aria-level': 3, 'aria-setsize': 4, 'aria-posinset': 1 });
  });

  it('collapses and expands level by level', () => {
    const once = stepLevel(trace, nothingFolded, -1);
    expect(once.collapsed.size).toBe(4);
    expect(stepLevel(trace, once, 1).collapsed.size).toBe(0);
  });

  it('survives 100,000 items in one chain and in one row', () => {
    const n = 100_000;
    const flat = { ...skeleton, id: Array.from({ length: n }, (_, i) => String(i)) };
    const fill = <T>(value: T) => new Array<T>(n).fill(value);
    const common = {
      offset_us: fill(0),
      duration: fill(5),
      name: fill(0),
      service: fill(0),
      type: fill(0),
      kind: fill('db' as const),
      flags: fill(4),
      composite_count: fill(0),
      composite_sum_us: fill(0),
      status_code: fill(0),
      error_count: fill(0),
      attempt: fill(0),
      first_chunk_us: fill(-1),
      arrivals: [],
      chunks: fill(0),
      critical_path: [],
    };
    const chain = buildTrace({
      ...flat,
      ...common,
      parent: Array.from({ length: n }, (_, i) => i - 1),
      subtree: Array.from({ length: n }, (_, i) => n - i),
    });
    expect(visibleRows(chain, nothingFolded).length).toBe(n);
    expect(visibleRows(chain, { ...nothingFolded, collapsed: new Set([10]) }).length).toBe(11);
    const row = buildTrace({ ...flat, ...common, parent: fill(-1), subtree: fill(1) });
    expect(visibleRows(row, nothingFolded).length).toBe(1);
    expect(row.groups.count[0]).toBe(n);
  });
});

describe('the critical path', () => {
  it('gives each item its own segments', () => {
    expect(timeOnPath(trace, 2)).toBe(501_000 - 55_293);
    expect(timeOnPath(trace, 0)).toBe(1200 + (55_293 - 54_525) + (1_785_624 - 1_784_164));
    const all = [...trace.ids.keys()].reduce((sum, i) => sum + timeOnPath(trace, i), 0);
    expect(all).toBe(trace.durationUs);
    expect(trace.path.byKind.reduce((a, b) => a + b, 0)).toBe(trace.durationUs);
    expect(trace.path.byKind[kinds.indexOf('retrieval')]).toBe(53_325);
  });
});

describe('attempts', () => {
  it('joins each failed attempt with the one that followed it', () => {
    expect([trace.attemptAfter[3], trace.attemptAfter[5]]).toEqual([7, 10]);
    expect([trace.attemptBefore[7], trace.attemptBefore[10]]).toEqual([3, 5]);
    expect(has(trace, 3, flag.failure)).toBe(true);
  });
});

describe('search', () => {
  const found = (text: string) => [...searchTrace(trace, text)].map((i) => nameOf(trace, i));
  it('finds names, durations, kinds, failures and status codes', () => {
    expect(found('TOKEN')).toEqual(['token', 'token']);
    expect(found('> 1s openai')).toEqual(['individual-results', 'openaiChatCompletion', 'openaiChatCompletion']);
    expect(found('kind:retrieval')).toEqual(['POST 127.0.0.1:8081']);
    expect(found('429')).toHaveLength(2);
    expect(found('failed')).toHaveLength(4);
    expect(found('')).toEqual([]);
    expect(found('nothing like it')).toEqual([]);
  });
  it('keeps the way to each hit', () => {
    const hits = searchTrace(trace, 'token');
    const rows = visibleRows(trace, { ...nothingFolded, keep: keepWithAncestors(trace, hits) });
    expect([...rows].map((row) => nameOf(trace, row))).toEqual([
      'user-query',
      'individual-results',
      'openaiChatCompletion',
      'token',
      'openaiChatCompletion',
      'token',
    ]);
  });
});

describe('zoom', () => {
  const zooms = fc
    .tuple(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.double({ min: 1, max: 1e7, noNaN: true }))
    .map(([t0, w]) => clampZoom({ t0, t1: t0 + w }, 1e7));
  it('stays inside the trace', () => {
    fc.assert(
      fc.property(
        zooms,
        fc.double({ min: -1e8, max: 1e8, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (zoom, by, factor) => {
          for (const next of [pan(zoom, by, 1e7), zoomAround(zoom, (zoom.t0 + zoom.t1) / 2, factor, 1e7)]) {
            expect(next.t0).toBeGreaterThanOrEqual(0);
            expect(next.t1).toBeLessThanOrEqual(1e7 + 1e-3);
            expect(next.t1).toBeGreaterThan(next.t0);
          }
        },
      ),
    );
  });
  it('maps time to pixels and back', () => {
    fc.assert(
      fc.property(zooms, fc.double({ min: 0, max: 1000, noNaN: true }), (zoom, x) => {
        expect(toX(zoom, toTime(zoom, x, 1000), 1000)).toBeCloseTo(x, 2);
      }),
    );
  });
  it('marks round instants that do not crowd', () => {
    fc.assert(
      fc.property(zooms, (zoom) => {
        const marks = ticks(zoom, 800);
        for (let i = 1; i < marks.length; i++)
          expect(toX(zoom, marks[i]!, 800) - toX(zoom, marks[i - 1]!, 800)).toBeGreaterThan(100);
      }),
    );
  });
});

describe('the latency histogram', () => {
  const { buckets } = transaction.distribution;
  it('places durations between the bars’ ends', () => {
    expect(place(buckets, 0)).toBe(0);
    expect(place(buckets, buckets[10]!.from_us)).toBe(10);
    expect(place(buckets, 1e12)).toBe(buckets.length);
  });
  it('selects whole bars, whichever way it is dragged', () => {
    expect(selectBars(buckets, 2.4, 5.1)).toEqual({ min: buckets[2]!.from_us, max: buckets[5]!.to_us });
    expect(selectBars(buckets, 5.1, 2.4)).toEqual(selectBars(buckets, 2.4, 5.1));
    expect(selectBars([], 0, 1)).toBeNull();
  });
});
