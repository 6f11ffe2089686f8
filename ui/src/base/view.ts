/** What the URL holds: every shareable choice of a screen. Unknown parameters are dropped, bad ones fall back to defaults. */

import { defaultFrom, defaultTo, instantMs } from './time';

export interface View {
  /** Time range. */
  from: string;
  to: string;
  /** Environment; absent = all. */
  env?: string;
  /** Text that table rows must contain. */
  q?: string;
  /** Column that a table is sorted by; a leading `-` means descending. */
  sort?: string;
  /** Service of an error group; the same error can happen in several. */
  service?: string;
  /** Transaction type. */
  type?: string;
  /** Selected durations in microseconds, on the latency histogram. */
  min?: number;
  max?: number;
  /** Transaction whose trace is shown as the sample. */
  sample?: string;
  /** Selected span or transaction of a trace. */
  span?: string;
  /** Tab of the details panel or of a page. */
  tab?: string;
  /** Part of the trace that is zoomed to, in microseconds from its start. */
  t0?: number;
  t1?: number;
  /** True if the critical path is shown. */
  cp?: true;
  /** Text that is looked for in the trace. */
  find?: string;
  /** Occurrence of an error group. */
  occ?: string;
  /** Place of the playback in milliseconds from the start of the call. */
  play?: number;
}

/** The part that goes along when another screen is opened. */
export type Scope = Pick<View, 'from' | 'to' | 'env'>;

const textMax = 512;

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, textMax) : undefined;
}

function whole(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const n = typeof value === 'number' ? value : /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(n) && n >= 0 ? n : undefined;
}

/** Reads search parameters; never fails. */
export function parseView(raw: Record<string, unknown>): View {
  const fromText = text(raw.from);
  const toText = text(raw.to);
  const view: View = {
    from: fromText && instantMs(fromText, 0) !== null ? fromText : defaultFrom,
    to: toText && instantMs(toText, 0) !== null ? toText : defaultTo,
  };
  const env = text(raw.env);
  const q = text(raw.q);
  const sort = text(raw.sort);
  const type = text(raw.type);
  const service = text(raw.service);
  const sample = text(raw.sample);
  const span = text(raw.span);
  const tab = text(raw.tab);
  const find = text(raw.find);
  const occ = text(raw.occ);
  if (env) view.env = env;
  if (q) view.q = q;
  if (sort && /^-?[a-z_0-9]+$/.test(sort)) view.sort = sort;
  if (service) view.service = service;
  if (type) view.type = type;
  if (sample) view.sample = sample;
  if (span) view.span = span;
  if (tab && /^[a-z]+$/.test(tab)) view.tab = tab;
  if (find) view.find = find;
  if (occ) view.occ = occ;
  const min = whole(raw.min);
  const max = whole(raw.max);
  if (min !== undefined && max !== undefined && min < max) {
    view.min = min;
    view.max = max;
  }
  const t0 = whole(raw.t0);
  const t1 = whole(raw.t1);
  if (t0 !== undefined && t1 !== undefined && t0 < t1) {
    view.t0 = t0;
    view.t1 = t1;
  }
  const play = whole(raw.play);
  if (play !== undefined) view.play = play;
  if (raw.cp === '1' || raw.cp === true) view.cp = true;
  return view;
}

/** The query string of a view, without what is default. Keys are in one order, so equal views have equal links. */
export function stringifyView(view: Partial<View>): string {
  const out = new URLSearchParams();
  const put = (key: keyof View, value: string | number | true | undefined) => {
    if (value !== undefined && value !== '') out.set(key, value === true ? '1' : String(value));
  };
  put('from', view.from === defaultFrom ? undefined : view.from);
  put('to', view.to === defaultTo ? undefined : view.to);
  for (const key of [
    'env',
    'q',
    'sort',
    'service',
    'type',
    'min',
    'max',
    'sample',
    'span',
    'tab',
    't0',
    't1',
    'cp',
    'find',
    'occ',
    'play',
  ] as const) {
    put(key, view[key]);
  }
  const query = out.toString();
  return query === '' ? '' : `?${query}`;
}

export function parseQueryString(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

export function scopeOf(view: View): Scope {
  return view.env ? { from: view.from, to: view.to, env: view.env } : { from: view.from, to: view.to };
}
