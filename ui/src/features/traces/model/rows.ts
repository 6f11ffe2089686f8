/** Which items are rows right now: collapsed subtrees and closed groups left out, in one pass that jumps over both. */

import type { Trace } from './trace';

/** What the reader opened, closed or hid. */
export interface Folding {
  /** Items whose children are hidden. */
  readonly collapsed: ReadonlySet<number>;
  /** Groups whose members are shown. */
  readonly opened: ReadonlySet<number>;
  /** 1 for each item that stays; null = all. */
  readonly keep: Uint8Array | null;
}

export const nothingFolded: Folding = { collapsed: new Set(), opened: new Set(), keep: null };

/** A row is an item (≥ 0) or a group g, written `-1 - g`. An opened group keeps its own row above its members. */
export type Rows = Int32Array;

export function isGroup(row: number): boolean {
  return row < 0;
}

export function groupOf(row: number): number {
  return -1 - row;
}

export function rowOfGroup(group: number): number {
  return -1 - group;
}

/** The item that a row stands for: for a group its first member. */
export function itemOfRow(trace: Trace, row: number): number {
  return row >= 0 ? row : (trace.groups.first[groupOf(row)] ?? 0);
}

export function visibleRows(trace: Trace, folding: Folding): Rows {
  const rows = new Int32Array(trace.size + trace.groups.first.length);
  const { collapsed, opened, keep } = folding;
  let used = 0;
  let i = 0;
  while (i < trace.size) {
    const group = trace.groups.of[i] ?? -1;
    // Hiding by search shows each hit itself, so groups are open then.
    if (group >= 0 && keep === null && trace.groups.first[group] === i) {
      rows[used++] = rowOfGroup(group);
      if (!opened.has(group)) {
        i = Math.max(i + 1, trace.groups.end[group] ?? 0);
        continue;
      }
    }
    if (keep === null || keep[i] === 1) rows[used++] = i;
    i = collapsed.has(i) && keep === null ? Math.max(i + 1, trace.end[i] ?? 0) : i + 1;
  }
  return rows.slice(0, used);
}

/** Row index by item; −1 where the item is hidden. */
export function rowIndex(trace: Trace, rows: Rows): Int32Array {
  const index = new Int32Array(trace.size).fill(-1);
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r] ?? 0;
    if (row >= 0) index[row] = r;
  }
  return index;
}

/** Opens whatever hides an item. */
export function reveal(trace: Trace, folding: Folding, item: number): Folding {
  const collapsed = new Set(folding.collapsed);
  const opened = new Set(folding.opened);
  let at = item;
  while (at >= 0) {
    const group = trace.groups.of[at] ?? -1;
    if (group >= 0) opened.add(group);
    const up = trace.parent[at] ?? -1;
    if (up >= at) break;
    if (up >= 0) collapsed.delete(up);
    at = up;
  }
  const keep = folding.keep !== null && folding.keep[item] !== 1 ? null : folding.keep;
  return { collapsed, opened, keep };
}

export function hasChildren(trace: Trace, item: number): boolean {
  return (trace.end[item] ?? 0) > item + 1;
}

/** Collapses every item that has children, the roots left open. */
export function collapseAll(trace: Trace): Folding {
  const collapsed = new Set<number>();
  for (let i = 0; i < trace.size; i++) if (hasChildren(trace, i) && (trace.depth[i] ?? 0) > 0) collapsed.add(i);
  return { collapsed, opened: new Set(), keep: null };
}

/** Collapses (step −1) or expands (step +1) by one level: the deepest open level closes, the highest closed one opens. */
export function stepLevel(trace: Trace, folding: Folding, step: 1 | -1): Folding {
  const collapsed = new Set(folding.collapsed);
  if (step === 1) {
    let top = Number.POSITIVE_INFINITY;
    for (const i of collapsed) top = Math.min(top, trace.depth[i] ?? 0);
    for (const i of folding.collapsed) if (trace.depth[i] === top) collapsed.delete(i);
  } else {
    let deepest = -1;
    for (let i = 0; i < trace.size; i++) {
      if (hasChildren(trace, i) && !collapsed.has(i)) deepest = Math.max(deepest, trace.depth[i] ?? 0);
    }
    for (let i = 0; i < trace.size; i++)
      if (hasChildren(trace, i) && trace.depth[i] === deepest && deepest > 0) collapsed.add(i);
  }
  return { ...folding, collapsed };
}
