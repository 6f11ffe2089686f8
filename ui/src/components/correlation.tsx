/** The pieces that say how a value goes along with something: shares of both sets, effect, impact. */

import type { Correlation, CorrelationsOf } from '../api/types';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { dollars, times } from '../base/numbers';
import type { View } from '../base/view';

/** The share of both sets that has the value, as a pair of bars with their numbers. */
export function SharePair({ of, correlation: c }: { of: CorrelationsOf; correlation: Correlation }) {
  const text =
    of === 'latency'
      ? m.correlations.shareAll(format.percent(c.selected_share), format.count(c.count))
      : m.correlations.shares(format.percent(c.selected_share), format.percent(c.baseline_share));
  return (
    <span className="share-pair" role="img" aria-label={text} title={text}>
      <Share set="selected" share={c.selected_share} />
      {of !== 'latency' && <Share set="baseline" share={c.baseline_share} />}
    </span>
  );
}

function Share({ set, share }: { set: 'selected' | 'baseline'; share: number }) {
  return (
    <span className="share">
      <span className="share-track">
        <span className={`share-fill color-${set}`} style={{ width: `${Math.max(0, Math.min(100, share * 100))}%` }} />
      </span>
      <span className="num">{format.percent(share)}</span>
    </span>
  );
}

/** What having the value changes, most telling first: how much slower, more often failed, dearer, or more frequent. */
export function effectTexts(of: CorrelationsOf, c: Correlation): string[] {
  const t = m.correlations;
  const out: string[] = [];
  if (of !== 'latency') {
    const lift = c.selected_share / c.baseline_share;
    if (c.baseline_share === 0) out.push(t.never);
    else if (Number.isFinite(lift)) out.push(t.times(times(lift)));
  }
  if (of !== 'failures' && c.effect_us) {
    const by = format.duration(Math.abs(c.effect_us));
    out.push(c.effect_us > 0 ? t.slower(by) : t.faster(by));
  }
  const points = c.effect_failure_points;
  if (points && Math.abs(points) >= 0.05) {
    const by = times(Math.abs(points));
    const text = points > 0 ? t.failsMore(by) : t.failsLess(by);
    if (of === 'failures') out.unshift(text);
    else out.push(text);
  }
  if (c.effect_usd) {
    const by = dollars(Math.abs(c.effect_usd));
    out.push(c.effect_usd > 0 ? t.dearer(by) : t.cheaper(by));
  }
  return out;
}

export function ImpactWord({ correlation }: { correlation: Correlation }) {
  const { impact } = correlation;
  const level = { very_low: 0, low: 1, medium: 2, high: 3 }[impact];
  return (
    <span className="impact-word" title={m.correlations.impactLabel}>
      <span className="impact-steps" aria-hidden>
        {[1, 2, 3].map((step) => (
          <i key={step} className={step <= level ? 'on' : undefined} />
        ))}
      </span>
      {m.correlations.impact[impact]}
    </span>
  );
}

/** The box of a view in words: `150–400 tokens, 6 – 12 s`; null if there is none. */
export function boxText(view: Pick<View, 'min' | 'max' | 'tmin' | 'tmax'>): string | null {
  const { min, max, tmin, tmax } = view;
  const parts: string[] = [];
  if (min !== undefined && max !== undefined) {
    parts.push(m.correlations.boxDuration(format.duration(min), format.duration(max)));
  }
  if (tmin !== undefined && tmax !== undefined) {
    parts.push(m.correlations.boxTokens(format.count(tmin), format.count(tmax)));
  }
  return parts.length > 0 ? parts.join(', ') : null;
}
