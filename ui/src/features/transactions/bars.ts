/** Geometry of the latency histogram: bars of equal width over durations of equal ratio. */

import type { LatencyBucket } from '../../api/types';

export interface Selection {
  min: number;
  max: number;
}

/** Place of a duration between 0 and the number of bars; durations outside stand at the ends. */
export function place(buckets: readonly LatencyBucket[], us: number): number {
  for (let i = 0; i < buckets.length; i++) {
    const b = buckets[i];
    if (!b || us >= b.to_us) continue;
    if (us <= b.from_us) return i;
    // Inside a bar the scale is logarithmic, as the bars themselves are.
    const low = Math.log(Math.max(1, b.from_us));
    const high = Math.log(Math.max(1, b.to_us));
    return high > low ? i + (Math.log(us) - low) / (high - low) : i;
  }
  return buckets.length;
}

/** The durations of the bars from one place to another, widened to whole bars. */
export function selectBars(buckets: readonly LatencyBucket[], a: number, b: number): Selection | null {
  if (buckets.length === 0) return null;
  const first = buckets[Math.max(0, Math.min(buckets.length - 1, Math.floor(Math.min(a, b))))];
  const last = buckets[Math.max(0, Math.min(buckets.length - 1, Math.ceil(Math.max(a, b)) - 1))];
  return first && last && last.to_us > first.from_us ? { min: first.from_us, max: last.to_us } : null;
}
