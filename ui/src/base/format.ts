/** Numbers and units for people. What is not known is shown as a dash, never as zero. */

import { language } from './i18n';

export const missing = '—';

type Maybe = number | null | undefined;

const formats = new Map<string, Intl.NumberFormat>();

function decimal(value: number, digits: number): string {
  const key = `${language()}/${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language(), { maximumFractionDigits: digits, minimumFractionDigits: digits });
    formats.set(key, format);
  }
  return format.format(value);
}

/** Three significant digits at most, no needless zeros behind a whole number. */
function short(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1000) return decimal(value, 0);
  return decimal(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** A duration in microseconds: `8.50 s`, `125 ms`, `940 µs`, `2 min 5 s`. */
export function duration(us: Maybe): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return missing;
  const size = Math.abs(us);
  if (size === 0) return '0 µs';
  if (size < 999.5) return `${short(Math.round(us))} µs`;
  if (size < 999_500) return `${short(us / 1e3)} ms`;
  if (size < 60e6) return `${short(us / 1e6)} s`;
  const seconds = Math.round(us / 1e6);
  if (size < 3600e6) return `${Math.trunc(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(us / 60e6);
  if (size < 86_400e6) return `${Math.trunc(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(us / 3600e6);
  return `${Math.trunc(hours / 24)} d ${hours % 24} h`;
}

/** The same to the microsecond, for tooltips. */
export function exactDuration(us: Maybe): string {
  return us === null || us === undefined ? missing : `${decimal(us, 0)} µs`;
}

/** A count: `1,204`; from ten thousand on `12.1 k`. Weighted counts may have a fraction. */
export function count(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  if (Math.abs(value) < 10_000) return decimal(value, Number.isInteger(value) ? 0 : 1);
  if (Math.abs(value) < 1e6) return `${decimal(value / 1e3, 1)} k`;
  return `${decimal(value / 1e6, 1)} M`;
}

/** A rate per minute. */
export function perMinute(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  if (value === 0) return '0';
  if (value > 0 && value < 0.1) return `< ${decimal(0.1, 1)}`;
  return value < 1000 ? decimal(value, value < 10 && !Number.isInteger(value) ? 1 : 0) : count(value);
}

/** A share between 0 and 1: `2.4 %`. */
export function percent(share: Maybe): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return missing;
  const p = share * 100;
  if (p === 0) return '0 %';
  if (p < 0.1) return `< ${decimal(0.1, 1)} %`;
  // All but a little is not all.
  if (p > 99 && p < 100) return `${decimal(Math.min(p, 99.9), 1)} %`;
  return `${decimal(p, p < 10 && !Number.isInteger(p) ? 1 : 0)} %`;
}

const dates = new Map<string, Intl.DateTimeFormat>();

function date(us: number, name: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${language()}/${name}`;
  let format = dates.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : language(), options);
    dates.set(key, format);
  }
  return format.format(us / 1e3);
}

/** Date and time with seconds, in the reader's time zone. */
export function dateTime(us: Maybe): string {
  if (us === null || us === undefined) return missing;
  return date(us, 'dateTime', {
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

/** The same with milliseconds and the year, for tooltips and details. */
export function exactDateTime(us: Maybe): string {
  if (us === null || us === undefined) return missing;
  return date(us, 'exact', {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'short',
  });
}

export function clock(us: number): string {
  return date(us, 'clock', { hour: '2-digit', minute: '2-digit' });
}

/** `3 min ago`. */
export function ago(us: Maybe, nowMs: number): string {
  if (us === null || us === undefined) return missing;
  const seconds = Math.round((us / 1e3 - nowMs) / 1e3);
  const format = new Intl.RelativeTimeFormat(language(), { numeric: 'auto', style: 'short' });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(seconds, 'second');
  if (size < 3600) return format.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86_400), 'day');
}
