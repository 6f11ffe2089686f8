/** A row in words: what a screen reader says of it. */

import type { TraceCall } from '../../../api/types';
import * as format from '../../../base/format';
import { m } from '../../../base/i18n';
import { dollars, whole } from '../../../base/numbers';
import { groupOf, isGroup, itemOfRow } from './rows';
import { flag, has, nameOf, type Trace } from './trace';

export function describeRow(trace: Trace, row: number): string {
  const item = itemOfRow(trace, row);
  const name = nameOf(trace, item) || m.common.unknown;
  if (isGroup(row)) {
    const group = groupOf(row);
    return `${m.waterfall.group(trace.groups.count[group] ?? 0, name)}, ${m.waterfall.groupSum(format.duration(trace.groups.sum[group]))}`;
  }
  const merged = trace.compositeCount[item] ?? 0;
  const parts = [merged > 0 ? m.waterfall.merged(merged, name) : name, format.duration(trace.duration[item])];
  if (merged > 0) {
    const sum = trace.compositeSum[item] ?? 0;
    parts.push(m.waterfall.mergedSum(format.duration(sum), format.duration(sum / merged)), m.waterfall.notRecorded);
  }
  if (has(trace, item, flag.failure)) parts.push(m.common.failed);
  const errors = trace.errorCount[item] ?? 0;
  if (errors > 0) parts.push(m.waterfall.errors(errors));
  const attempt = trace.attempt[item] ?? 0;
  if (attempt > 0) parts.push(m.waterfall.attempt(attempt));
  const status = trace.statusCode[item] ?? 0;
  if (status > 0) parts.push(m.waterfall.status(status));
  const call = trace.calls.get(item);
  if (call) parts.push(...usedBy(call));
  const first = trace.firstChunk[item] ?? -1;
  if (first >= 0) parts.push(m.waterfall.ttft(format.duration(first)));
  if (has(trace, item, flag.orphan)) parts.push(m.waterfall.missingParent);
  if (has(trace, item, flag.async)) parts.push(m.waterfall.async);
  if (has(trace, item, flag.skewCorrected)) parts.push(m.waterfall.skew);
  parts.push(m.waterfall.startsAt(format.duration(trace.offset[item])));
  return parts.join(', ');
}

/** Tokens of the answer and cost of a model call, as far as they are known: `≈ 60 tokens`, `$0.0012`. */
export function usedBy({ output_tokens, source, usd }: TraceCall): string[] {
  const used: string[] = [];
  const about = source === 'derived' || source === 'estimated';
  if (output_tokens !== null) used.push(m.waterfall.tokens(whole(output_tokens), about));
  if (usd !== null) used.push(dollars(usd));
  return used;
}

/** Place of a row in the tree. A group takes the place of its first member. */
export function levelAttributes(
  trace: Trace,
  row: number,
): { 'aria-level': number; 'aria-setsize': number; 'aria-posinset': number } {
  const item = itemOfRow(trace, row);
  const group = isGroup(row) ? -1 : (trace.groups.of[item] ?? -1);
  const level = (trace.depth[item] ?? 0) + 1;
  if (group < 0) {
    return {
      'aria-level': level,
      'aria-setsize': trace.siblings[item] ?? 1,
      'aria-posinset': trace.position[item] ?? 1,
    };
  }
  const first = trace.groups.first[group] ?? 0;
  return {
    'aria-level': level + 1,
    'aria-setsize': trace.groups.count[group] ?? 1,
    'aria-posinset': (trace.position[item] ?? 1) - (trace.position[first] ?? 1) + 1,
  };
}
