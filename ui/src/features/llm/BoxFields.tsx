/** The keyboard's way to draw a box: four numbers. */

import { useEffect, useState } from 'react';
import { m } from '../../base/i18n';
import { useSetView, useView } from '../../components/view';
import { boxView } from './points';

const usPerSecond = 1e6;

/** Both ends of a range as they were typed; an end that is left free is open. */
function readRange(
  from: string,
  to: string,
  unit: number,
  open: number,
): { from: number; to: number } | null | undefined {
  if (from === '' && to === '') return null;
  const low = Math.round(Number(from || 0) * unit);
  const high = to === '' ? open : Math.round(Number(to) * unit);
  return low >= 0 && high > low ? { from: low, to: high } : undefined;
}

interface Props {
  /** Ends that stand for “no upper end”: everything that is drawn lies below. */
  tokensEnd: number;
  durationEnd: number;
}

export function BoxFields({ tokensEnd, durationEnd }: Props) {
  const view = useView();
  const setView = useSetView();
  const written = {
    tmin: view.tmin === undefined ? '' : String(view.tmin),
    tmax: view.tmax === undefined ? '' : String(view.tmax),
    min: view.min === undefined ? '' : String(view.min / usPerSecond),
    max: view.max === undefined ? '' : String(view.max / usPerSecond),
  };
  const [typed, setTyped] = useState(written);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the URL's words are the four numbers
  useEffect(() => setTyped(written), [view.tmin, view.tmax, view.min, view.max]);
  const x = readRange(typed.tmin, typed.tmax, 1, tokensEnd);
  const y = readRange(typed.min, typed.max, usPerSecond, durationEnd);
  const valid = x !== undefined && y !== undefined && (x !== null || y !== null);
  const field = (key: keyof typeof typed, label: string, step: '1' | 'any') => (
    <label>
      {label}
      <input
        className="input"
        type="number"
        min="0"
        step={step}
        value={typed[key]}
        onChange={(event) => setTyped({ ...typed, [key]: event.target.value })}
      />
    </label>
  );
  return (
    <form
      className="range-fields box-fields"
      aria-label={m.llm.range}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) setView(boxView({ x, y }), 'replace');
      }}
    >
      {field('tmin', m.llm.fromTokens, '1')}
      {field('tmax', m.llm.toTokens, '1')}
      {field('min', m.llm.fromSeconds, 'any')}
      {field('max', m.llm.toSeconds, 'any')}
      <button type="submit" className="button" disabled={!valid}>
        {m.common.apply}
      </button>
      {(view.min !== undefined || view.tmin !== undefined) && (
        <button type="button" className="button quiet" onClick={() => setView(boxView(null))}>
          {m.llm.clear}
        </button>
      )}
    </form>
  );
}
