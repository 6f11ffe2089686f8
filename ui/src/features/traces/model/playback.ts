/**
 * An answer as it came, chunk by chunk. Times are microseconds after the start of the call.
 *
 * When each chunk came is known, which characters it carried is not: the text is laid over the chunks in equal parts, cut
 * between words. So the rhythm is real, and the words are near their place.
 */

/** A gap is a stall if it is longer than this and than `stallFactor` median gaps. */
const stallMinUs = 250_000;
const stallFactor = 5;
/** Chunks that are made up for an even playback at most. */
const evenMax = 4_000;

export interface Stall {
  /** Chunk before the gap. */
  readonly after: number;
  readonly fromUs: number;
  readonly gapUs: number;
}

export interface Playback {
  /** Arrival of each chunk, ascending. */
  readonly times: Float64Array;
  /** End of the text that is there when each chunk has come, in characters. */
  readonly ends: Uint32Array;
  readonly text: string;
  /** When the call ended. */
  readonly durationUs: number;
  readonly stalls: readonly Stall[];
  /** Median gap; null with fewer than two chunks. */
  readonly medianGapUs: number | null;
  /** False if the times are made up. */
  readonly real: boolean;
}

/** Between two known offsets lie `perOffset` chunks; those in between are taken to have come evenly. */
export function arrivalTimes(offsets: ArrayLike<number>, perOffset: number, chunks: number): Float64Array {
  const known = offsets.length;
  if (known === 0) return new Float64Array(0);
  const step = Math.max(1, Math.floor(perOffset));
  const count = step === 1 ? known : Math.max(known, Math.min(chunks || known * step, (known - 1) * step + 1));
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const tick = Math.min(known - 1, Math.floor(i / step));
    const here = offsets[tick] ?? 0;
    const next = offsets[Math.min(known - 1, tick + 1)] ?? here;
    times[i] = here + ((next - here) * (i % step)) / step;
  }
  return times;
}

/** Chunks at equal distances between the first and the last one. */
export function evenTimes(chunks: number, firstUs: number, lastUs: number): Float64Array {
  const count = Math.min(evenMax, Math.max(0, Math.floor(chunks)));
  return Float64Array.from({ length: count }, (_, i) =>
    count === 1 ? firstUs : firstUs + ((lastUs - firstUs) * i) / (count - 1),
  );
}

export function medianGap(times: ArrayLike<number>): number | null {
  if (times.length < 2) return null;
  const gaps = Float64Array.from({ length: times.length - 1 }, (_, i) => (times[i + 1] ?? 0) - (times[i] ?? 0)).sort();
  return gaps[Math.floor(gaps.length / 2)] ?? null;
}

/** Where the text is cut: in equal parts, moved back to the end of a word where one is near. */
function textEnds(text: string, chunks: number): Uint32Array {
  const ends = new Uint32Array(chunks);
  let before = 0;
  for (let i = 0; i < chunks; i++) {
    let end = i === chunks - 1 ? text.length : Math.round((text.length * (i + 1)) / chunks);
    for (let back = 0; i < chunks - 1 && back < 8 && end - back > before; back++) {
      if (/\s/.test(text.charAt(end - back))) {
        end -= back;
        break;
      }
    }
    // Half a character of two would be shown as a box.
    const code = text.charCodeAt(end - 1);
    if (code >= 0xd800 && code < 0xdc00) end += 1;
    before = Math.max(before, Math.min(end, text.length));
    ends[i] = before;
  }
  return ends;
}

export function makePlayback(times: Float64Array, text: string, durationUs: number, real: boolean): Playback {
  const median = medianGap(times);
  const stalls: Stall[] = [];
  for (let i = 1; real && median !== null && i < times.length; i++) {
    const fromUs = times[i - 1] ?? 0;
    const gapUs = (times[i] ?? 0) - fromUs;
    if (gapUs > stallMinUs && gapUs > stallFactor * median) stalls.push({ after: i - 1, fromUs, gapUs });
  }
  return {
    times,
    ends: textEnds(text, times.length),
    text,
    durationUs: Math.max(durationUs, times[times.length - 1] ?? 0, 1),
    stalls,
    medianGapUs: median,
    real,
  };
}

/** Chunks that have come by a time. */
export function chunksBy(playback: Playback, us: number): number {
  let low = 0;
  let high = playback.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((playback.times[middle] ?? 0) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function textBy(playback: Playback, us: number): string {
  const chunks = chunksBy(playback, us);
  return chunks === 0 ? '' : playback.text.slice(0, playback.ends[chunks - 1]);
}

/** Chunks a second over the last second before a time. */
export function rateBy(playback: Playback, us: number): number {
  const window = Math.min(1e6, Math.max(us - (playback.times[0] ?? 0), 1));
  return ((chunksBy(playback, us) - chunksBy(playback, us - window)) / window) * 1e6;
}
