import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { at, exceptionsOf, flatten, foldFrames, framesOf, labelsOf } from '../src/base/document';
import * as format from '../src/base/format';
import { chooseLanguage, m } from '../src/base/i18n';
import { de } from '../src/base/i18n/de';
import { en } from '../src/base/i18n/en';
import { instantMs, rangeMs } from '../src/base/time';
import { parseQueryString, parseView, stringifyView, type View } from '../src/base/view';
import { errorDocument } from './fixtures';

beforeAll(() => chooseLanguage('en'));

describe('numbers', () => {
  it.each([
    [null, '—'],
    [undefined, '—'],
    [0, '0 µs'],
    [940, '940 µs'],
    [999.6, '1.00 ms'],
    [125_000, '125 ms'],
    [53_325, '53.3 ms'],
    [999_600, '1.00 s'],
    [8_500_000, '8.50 s'],
    [59_999_000, '60.0 s'],
    [125_000_000, '2 min 5 s'],
    [3_900_000_000, '1 h 5 min'],
    [3 * 86_400_000_000, '3 d 0 h'],
    [-125_000, '-125 ms'],
  ])('duration %s is %s', (us, text) => expect(format.duration(us)).toBe(text));

  it('never shows what is unknown as zero', () => {
    for (const show of [
      format.duration,
      format.count,
      format.percent,
      format.perMinute,
      format.dateTime,
      format.exactDuration,
    ]) {
      expect(show(null)).toBe('—');
      expect(show(undefined)).toBe('—');
    }
  });

  it('shows small shares as small, not as none', () => {
    expect(format.percent(0)).toBe('0 %');
    expect(format.percent(0.0002)).toBe('< 0.1 %');
    expect(format.percent(0.024)).toBe('2.4 %');
    expect(format.percent(1)).toBe('100 %');
    expect(format.percent(0.997)).toBe('99.7 %');
    expect(format.percent(0.99999)).toBe('99.9 %');
    expect(format.perMinute(0.01)).toBe('< 0.1');
    expect(format.perMinute(12.1)).toBe('12');
  });

  it('follows the language', async () => {
    await chooseLanguage('de');
    expect(format.duration(8_500_000)).toBe('8,50 s');
    expect(m.nav.services).toBe('Dienste');
    await chooseLanguage('en');
    expect(m.nav.services).toBe('Services');
  });

  it('has every text in both languages, and the same kind of it', () => {
    const shape = (value: unknown): unknown =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]))
        : typeof value;
    expect(shape(de)).toEqual(shape(en));
  });
});

describe('time', () => {
  it('understands relative, ISO and millisecond instants', () => {
    expect(instantMs('now', 1000)).toBe(1000);
    expect(instantMs('now-15m', 1e9)).toBe(1e9 - 900_000);
    expect(instantMs('2026-11-22T20:00:00Z', 0)).toBe(Date.UTC(2026, 10, 22, 20));
    expect(instantMs('1795380000000', 0)).toBe(1795380000000);
    for (const bad of ['', 'now-', 'now-5y', 'yesterday', '12']) expect(instantMs(bad, 0)).toBeNull();
  });
  it('refuses a range that ends before it begins', () => {
    expect(rangeMs('now', 'now-1h', 1e9)).toBeNull();
    expect(rangeMs('now-1h', 'now', 1e9)).toEqual({ from: 1e9 - 3_600_000, to: 1e9 });
  });
});

describe('the URL', () => {
  const text = fc.string({ minLength: 1, maxLength: 60 });
  const from = fc.constantFrom('now-5m', 'now-1h', 'now-7d', '2026-11-22T20:00:00.000Z', '1795380000000');
  const pair = fc.tuple(fc.nat(1e9), fc.integer({ min: 1, max: 1e9 })).map(([a, width]) => [a, a + width] as const);
  const views: fc.Arbitrary<View> = fc
    .record(
      {
        from,
        to: fc.constantFrom('now', '2026-11-23T20:00:00.000Z'),
        env: text,
        q: text,
        sort: fc.constantFrom('name', '-avg', 'p95'),
        type: text,
        service: text,
        sample: text,
        span: text,
        tab: fc.constantFrom('json', 'labels'),
        find: text,
        occ: text,
        cp: fc.constant(true as const),
        durations: pair,
        zoom: pair,
      },
      { requiredKeys: ['from', 'to'] },
    )
    .map(({ durations, zoom, ...view }) => ({
      ...view,
      ...(durations ? { min: durations[0], max: durations[1] } : {}),
      ...(zoom ? { t0: zoom[0], t1: zoom[1] } : {}),
    }));

  it('keeps every view', () => {
    fc.assert(
      fc.property(views, (view) => {
        expect(parseView(parseQueryString(stringifyView(view)))).toEqual(view);
      }),
    );
  });
  it('turns anything into a view that stays as it is', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('from', 'to', 'env', 'min', 'max', 't0', 't1', 'sort', 'tab', 'cp', 'x'),
          fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        ),
        (raw) => {
          const view = parseView(raw);
          expect(parseView(parseQueryString(stringifyView(view)))).toEqual(view);
          expect('x' in view).toBe(false);
        },
      ),
    );
  });
  it('does not take a span id of digits for a number', () => {
    expect(parseView(parseQueryString('?span=1234567890123456&find=12e4')).span).toBe('1234567890123456');
  });
  it('leaves defaults out', () => expect(stringifyView(parseView({}))).toBe(''));
});

describe('documents', () => {
  it('finds values, also under keys with dots', () => {
    expect(at({ a: { 'b.c': 1 } }, 'a.b.c')).toBe(1);
    expect(at({ a: [1] }, 'a.b')).toBeUndefined();
    expect(at(null, 'a')).toBeUndefined();
  });
  it('lists all fields of a document, however deep', () => {
    let deep: Record<string, unknown> = { leaf: 1 };
    for (let i = 0; i < 20_000; i++) deep = { d: deep };
    expect(flatten(deep)).toHaveLength(1);
    expect(flatten({ b: { c: [1, 2] }, a: 'x' })).toEqual([
      { name: 'b.c', value: '1, 2' },
      { name: 'a', value: 'x' },
    ]);
  });
  it('reads labels of both kinds by name', () => {
    expect(
      labelsOf({ labels: { b: 'x', c: true }, numeric_labels: { a: 1.5 } }).map((l) => `${l.name}=${l.value}`),
    ).toEqual(['a=1.5', 'b=x', 'c=true']);
  });
  it('folds library frames between own ones', () => {
    const [first] = exceptionsOf(errorDocument);
    expect(foldFrames(first?.frames ?? []).map((run) => [run.library, run.frames.length])).toEqual([
      [false, 1],
      [true, 2],
      [false, 1],
    ]);
    expect(framesOf(['not a frame', null])).toHaveLength(2);
  });
});
