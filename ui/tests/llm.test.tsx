/** Tokens against time, streaming and correlations: geometry, numbers, and each screen in each of its states. */

import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretState } from '../src/api/client';
import { chooseLanguage } from '../src/base/i18n';
import { dollars, probability, times, whole } from '../src/base/numbers';
import {
  axisEnd,
  boxBetween,
  density,
  durationTicks,
  inside,
  nearest,
  niceTicks,
  type Scale,
  toPx,
  toValue,
} from '../src/base/scatter';
import { trimBars } from '../src/components/distribution';
import { fitLines, per100End, per100Points } from '../src/features/llm/points';
import { answerFor } from './fixtures';
import { correlations, llmAnswer, models, points, tokens } from './llm-fixtures';
import { asked, json, open, type Respond } from './open';
import { itHasAllStates } from './states';

vi.mock('../src/components/plot', () => ({ default: () => null }));

const x: Scale = { max: 600, from: 60, to: 660 };
const y: Scale = { max: 12_000_000, from: 300, to: 0 };

describe('geometry', () => {
  it('turns values into pixels and back', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 12e6, noNaN: true }), (value) => {
        expect(toValue(y, toPx(y, value))).toBeCloseTo(value, 3);
      }),
    );
  });

  it('has round ticks from zero to the end', () => {
    expect(niceTicks(620, 6)).toEqual([0, 200, 400, 600]);
    expect(niceTicks(0.5, 5)).toEqual([0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5]);
    expect(durationTicks(65e6, 5)).toEqual([0, 15e6, 30e6, 45e6, 60e6]);
    expect(durationTicks(8e6, 5)).toEqual([0, 2e6, 4e6, 6e6, 8e6]);
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), fc.integer({ min: 1, max: 12 }), (max, n) => {
        for (const ticks of [niceTicks(max, n), durationTicks(max, n)]) {
          expect(ticks[0]).toBe(0);
          expect(ticks.length).toBeLessThanOrEqual(n + 1);
          expect(ticks.at(-1)).toBeLessThanOrEqual(max * (1 + 1e-6));
        }
      }),
    );
  });

  it('never divides by zero', () => {
    expect(axisEnd([])).toBe(1);
    expect(axisEnd([0, 0])).toBe(1);
    expect(niceTicks(0, 4)).toEqual([0]);
  });

  it('draws a box from either corner, cut at the axes, in whole units', () => {
    const box = { x: { from: 90, to: 240 }, y: { from: 6_000_000, to: 12_000_000 } };
    expect(boxBetween({ x: 150, y: 150 }, { x: 300, y: -20 }, x, y, 'xy')).toEqual(box);
    expect(boxBetween({ x: 300, y: -20 }, { x: 150, y: 150 }, x, y, 'xy')).toEqual(box);
    expect(boxBetween({ x: 150, y: 150.3 }, { x: 300, y: 60.7 }, x, y, 'xy')?.y).toEqual({
      from: 5_980_000,
      to: 9_580_000,
    });
    expect(boxBetween({ x: 0, y: 0 }, { x: 300, y: 40 }, x, y, 'x')).toEqual({ x: { from: 0, to: 240 }, y: null });
  });

  it('takes a click for no box', () => {
    expect(boxBetween({ x: 150, y: 150 }, { x: 152, y: 151 }, x, y, 'xy')).toBeNull();
    expect(boxBetween({ x: 150, y: 150 }, { x: 152, y: 10 }, x, y, 'x')).toBeNull();
  });

  it('always has a box that holds something', () => {
    const place = fc.record({ x: fc.integer({ min: -50, max: 800 }), y: fc.integer({ min: -50, max: 400 }) });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const box = boxBetween(a, b, x, y, 'xy');
        for (const range of [box?.x, box?.y]) if (range) expect(range.to).toBeGreaterThan(range.from);
      }),
    );
  });

  it('knows which points are inside, the upper ends left out as the server does', () => {
    const { mask, count } = inside(
      { x: [10, 20, 30], y: [5, 5, 5] },
      { x: { from: 10, to: 30 }, y: { from: 5, to: 6 } },
    );
    expect([...mask]).toEqual([1, 1, 0]);
    expect(count).toBe(2);
  });

  it('finds the nearest point that is shown', () => {
    const three = { x: [100, 103, 500], y: [6e6, 6e6, 6e6] };
    const at = { x: toPx(x, 103) + 1, y: toPx(y, 6e6) };
    expect(nearest(three, at, x, y, 12, () => true)).toBe(1);
    expect(nearest(three, at, x, y, 12, (i) => i !== 1)).toBe(0);
    expect(nearest(three, { x: 300, y: 20 }, x, y, 12, () => true)).toBe(-1);
  });

  it('counts every point once in a density, however many there are', () => {
    const many = points(30_000);
    const columns = { x: many.tokens, y: many.duration_us };
    const scales = [
      { ...x, max: axisEnd(columns.x) },
      { ...y, max: axisEnd(columns.y) / 2 },
    ] as const;
    const { counts, most } = density(columns, scales[0], scales[1], 4, () => true);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(30_000);
    expect(most).toBe(Math.max(...counts));
  });
});

describe('points', () => {
  it('takes the duration for 100 tokens, and none without tokens', () => {
    const { y: flat } = per100Points({ ...points(1), tokens: [50, 0], duration_us: [1_000_000, 9] });
    expect([...(flat as Float64Array)]).toEqual([2_000_000, 0]);
  });

  it('draws the line of each model, or the one of all', () => {
    const { fits } = tokens();
    expect(fitLines(fits, models).map((line) => line.group)).toEqual([0, 1, 2]);
    expect(fitLines(fits.slice(0, 1), models).map((line) => line.group)).toEqual([-1]);
    expect(fitLines([], models)).toEqual([]);
  });

  it('does not let answers of one token press the others flat', () => {
    const { per_100_tokens: ranges } = tokens();
    expect(per100End([2e6, 3e6, 90e6], ranges)).toBeLessThan(20e6);
    expect(per100End([2e6], ranges)).toBeCloseTo(2.08e6);
    expect(per100End([], [])).toBe(1);
  });

  it('leaves out the empty bars at both ends only', () => {
    const bar = (count: number) => ({ from: 0, to: 1, count });
    expect(trimBars([0, 2, 0, 3, 0].map(bar)).map((b) => b.count)).toEqual([2, 0, 3]);
    expect(trimBars([0, 0].map(bar))).toEqual([]);
  });
});

describe('numbers', () => {
  it.each([
    [dollars('0.012437'), '$0.0124'],
    [dollars('3.9'), '$3.90'],
    [dollars('0.0000314'), '$0.000031'],
    [dollars(0), '$0'],
    [dollars(-2.5), '−$2.50'],
    [dollars(null), '—'],
    [probability(0.0312), '0.031'],
    [probability(1e-12), '< 0.0001'],
    [probability(null), '—'],
    [times(9.56), '9.6'],
    [whole(50_000), '50,000'],
  ])('%s', (shown, expected) => expect(shown).toBe(expected));
});

const answers =
  (mode: 'full' | 'range', replace: Record<string, unknown> = {}): Respond =>
  (path, query) =>
    json(replace[path] ?? llmAnswer(path, query, mode) ?? answerFor(path, 'full'));

beforeEach(() => chooseLanguage('en'));
afterEach(() => {
  vi.unstubAllGlobals();
  act(() => secretState.set('unneeded'));
});

describe.each([
  ['tokens', '/llm', 'Slow for their size', 'No model calls', '/api/v1/llm/tokens'],
  ['streaming', '/llm/streaming', 'Answers that stood still', 'No streamed answers', '/api/v1/llm/streaming'],
  ['slow', '/correlations', '3 values stand out', 'Nothing in this time range', '/api/v1/correlations'],
  ['failed', '/correlations?of=failures', 'Baseline:', 'Nothing in this time range', '/api/v1/correlations'],
])('%s', (_, address, full, empty, question) => {
  itHasAllStates({ address, full, empty, question, german: /Modellaufrufe|Korrelationen/, answers });
});

const box = 'min=6000000&max=12000000&tmin=150&tmax=400';

describe('tokens and time', () => {
  it('sums the points up in one sentence', async () => {
    open('/llm', answers('full'));
    const plot = await screen.findByRole('img', {
      name: /^1,204 calls; .*≈ 2\.80 s per 100 tokens \+ 640 ms, R² 0\.98/,
    });
    expect(plot).toBeTruthy();
  });

  it('selects by number fields, replacing the address', async () => {
    const history = open('/llm', answers('full'));
    fireEvent.change(await screen.findByLabelText('Tokens from'), { target: { value: '150' } });
    fireEvent.change(screen.getByLabelText('to (tokens)'), { target: { value: '400' } });
    fireEvent.change(screen.getByLabelText('Seconds from'), { target: { value: '6' } });
    fireEvent.change(screen.getByLabelText('to (seconds)'), { target: { value: '12' } });
    const before = history.length;
    fireEvent.submit(screen.getByRole('form', { name: 'Selected range' }));
    await waitFor(() => expect(history.location.search).toContain('min=6000000&max=12000000&tmin=150&tmax=400'));
    expect(history.length).toBe(before);
  });

  it('names both sets, lists the calls and says why they differ', async () => {
    const history = open(`/llm?${box}`, answers('full'));
    const sets = await screen.findByText(/of 1,204 calls: 6 s – 12 s, 150–400 tokens/);
    expect(sets.parentElement?.textContent).toMatch(/against.*the other [\d,]+$/);
    const why = (await screen.findByRole('link', { name: 'All correlations' })).getAttribute('href') ?? '';
    for (const part of ['of=selection', 'min=6000000', 'tmax=400']) expect(why).toContain(part);
    const row = (await screen.findAllByRole('link', { name: 'openaiChatCompletion' }))[0];
    expect(row?.getAttribute('href')).toMatch(/^\/traces\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/);
    const calls = asked.find((u) => u.pathname === '/api/v1/llm/calls');
    expect(calls?.searchParams.get('min_us')).toBe('6000000');
    // The plot shows all points, also those outside of the box.
    expect(asked.find((u) => u.pathname === '/api/v1/llm/tokens')?.searchParams.get('min_us')).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Clear selection' }));
    await waitFor(() => expect(history.location.search).toBe(''));
  });

  it('toggles models, and drops the box when points become transactions', async () => {
    const history = open(`/llm?${box}`, answers('full'));
    const toggle = await screen.findByRole('button', { name: 'gpt-4', pressed: true });
    fireEvent.click(toggle);
    expect(toggle.getAttribute('aria-pressed')).toBe('false');
    fireEvent.click(screen.getByRole('button', { name: 'a transaction' }));
    await waitFor(() => expect(history.location.search).toBe('?points=transactions'));
  });

  it('shows the points as a table, only those in view as elements', async () => {
    open('/llm', answers('full'));
    fireEvent.click((await screen.findAllByRole('button', { name: 'Show as table' }))[0]!);
    expect(document.querySelector('table[aria-rowcount="1205"]')).toBeTruthy();
    expect(document.querySelectorAll('tr').length).toBeLessThan(200);
  });

  it('does not invent what is not known', async () => {
    const one = { ...tokens(1), fits: [], per_100_tokens: [], slow_for_size: [] };
    open('/llm', answers('full', { '/api/v1/llm/tokens': one }));
    expect(await screen.findByText('Too few points for a line.')).toBeTruthy();
    expect(screen.getByText('None is far above the line of its model.')).toBeTruthy();
  });
});

describe('streaming', () => {
  it('shows each stall with what stood before it, as text', async () => {
    open('/llm/streaming', answers('full'));
    expect((await screen.findAllByText(/after 2\.31 s and 81 chunks: 1\.42 s of silence/)).length).toBe(2);
    expect(screen.getAllByText(/<script>alert\(1\)<\/script> inverted/).length).toBe(2);
    expect(document.querySelector('main script')).toBeNull();
    expect(screen.getAllByText('5.08').length).toBeGreaterThan(0);
  });
});

describe('correlations', () => {
  it('asks for a selection first', async () => {
    open('/correlations?of=selection', answers('full'));
    expect(await screen.findByText('Nothing is selected')).toBeTruthy();
    expect(asked.some((u) => u.pathname === '/api/v1/correlations')).toBe(false);
  });

  it('explains the box of another screen, and keeps it from tab to tab', async () => {
    open(`/correlations?of=selection&points=transactions&service=rag&name=x&${box}`, answers('full'));
    expect(await screen.findByText(/in the selection: 6 s – 12 s, 150–400 tokens/)).toBeTruthy();
    const url = asked.find((u) => u.pathname === '/api/v1/correlations');
    expect(Object.fromEntries(url?.searchParams ?? [])).toMatchObject({
      of: 'selection',
      points: 'transactions',
      name: 'x',
      min_us: '6000000',
      max_tokens: '400',
    });
    expect(screen.getByRole('link', { name: 'Failed' }).getAttribute('href')).toContain('tmin=150');
  });

  it('does not send the box where it means nothing', async () => {
    open(`/correlations?${box}`, answers('full'));
    await screen.findByText('3 values stand out');
    expect(asked.find((u) => u.pathname === '/api/v1/correlations')?.searchParams.get('min_us')).toBeNull();
  });

  it('opens a value: durations, statistics, the same transactions, and a filter', async () => {
    const history = open('/correlations?of=failures', answers('full'));
    const value = await screen.findByRole('button', { name: 'labels.model gpt-4' });
    fireEvent.click(value);
    expect(value.getAttribute('aria-expanded')).toBe('true');
    expect(screen.getByText('p < 0.0001, q < 0.0001; Kibana’s p < 0.0001')).toBeTruthy();
    expect(screen.getByText(/labels\.tier: gold/)).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Traces with this value' }));
    expect((await screen.findAllByRole('link', { name: 'openaiChatCompletion' })).length).toBeGreaterThan(0);
    fireEvent.click(screen.getByRole('button', { name: 'Only with this value' }));
    await waitFor(() => expect(history.location.search).toContain('field=labels.model&value=gpt-4'));
    fireEvent.click(await screen.findByRole('button', { name: /labels\.model: gpt-4/ }));
    await waitFor(() => expect(history.location.search).not.toContain('field'));
  });

  it('offers no filter for a range of a number', async () => {
    open('/correlations', answers('full'));
    fireEvent.click(await screen.findByRole('button', { name: 'labels.prompt_tokens ≥ 3,012' }));
    expect(screen.queryByRole('button', { name: 'Only with this value' })).toBeNull();
  });

  it('says that nothing stands out, with the strongest', async () => {
    const weak = correlations('latency');
    const body = { ...weak, is_significant: false, correlations: weak.correlations.slice(3) };
    open('/correlations', answers('full', { '/api/v1/correlations': body }));
    expect(await screen.findByText('Nothing stands out; the strongest was:')).toBeTruthy();
    expect(screen.getByText('not significant')).toBeTruthy();
  });

  it('says that there is not enough data', async () => {
    const body = correlations('failures', { not_enough: true, correlations: [] });
    open('/correlations?of=failures', answers('full', { '/api/v1/correlations': body }));
    expect(await screen.findByText('Not enough data')).toBeTruthy();
  });

  it('is reached from the selection of a transaction', async () => {
    open('/services/rag/transactions/x?min=6000000&max=12000000', answers('full'));
    const href = (await screen.findByRole('link', { name: 'Why are these different?' })).getAttribute('href') ?? '';
    for (const part of ['of=selection', 'points=transactions', 'service=rag', 'name=x', 'min=6000000'])
      expect(href).toContain(part);
  });
});
