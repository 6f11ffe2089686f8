/** Amounts, probabilities and plain numbers for people. */

import { missing } from './format';
import { language } from './i18n';

type Maybe = number | null | undefined;

function decimal(value: number, digits: number): string {
  return value.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Every digit of a whole number: `50,000`. */
export function whole(value: Maybe): string {
  return value === null || value === undefined ? missing : decimal(Math.round(value), 0);
}

/** US dollars, from a number or the API's decimal text: `$3.90`, `$0.0124`, `$0.000031`. */
export function dollars(amount: Maybe | string): string {
  const value = typeof amount === 'string' ? Number(amount) : amount;
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  const size = Math.abs(value);
  // Whole cents need no more digits.
  const isCents = size >= 1 || (size >= 0.01 && Math.abs(size * 100 - Math.round(size * 100)) < 1e-9);
  const digits = size === 0 ? 0 : isCents ? 2 : size >= 0.001 ? 4 : Math.min(12, 1 - Math.floor(Math.log10(size)));
  return `${value < 0 ? '−' : ''}$${decimal(size, digits)}`;
}

/** What one of something costs: below a dollar in cents, `1.11 ¢`. */
export function cents(amount: Maybe | string): string {
  const value = typeof amount === 'string' ? Number(amount) : amount;
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  const size = Math.abs(value) * 100;
  if (size === 0 || size >= 100) return dollars(value);
  const digits = size >= 10 ? 1 : size >= 0.1 ? 2 : Math.min(10, 1 - Math.floor(Math.log10(size)));
  return `${value < 0 ? '−' : ''}${decimal(size, digits)} ¢`;
}

/** A number with two digits behind the point. */
export function fraction(value: Maybe): string {
  return value === null || value === undefined || !Number.isFinite(value) ? missing : decimal(value, 2);
}

/** A p-value or q-value: `0.031`, `< 0.0001`. */
export function probability(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  return value < 1e-4 ? `< ${decimal(1e-4, 4)}` : decimal(value, value < 0.01 ? 4 : 3);
}

/** How many times as often: `9.6`, `12`. */
export function times(value: number): string {
  return decimal(value, value < 10 ? 1 : 0);
}
