/** Texts of the interface. `m` always holds those of the chosen language; read it while rendering, never at module level. */

import type { Messages } from './en';
import { en } from './en';

export type Language = 'en' | 'de';

let current: Language = 'en';

export let m: Messages = en;

export function language(): Language {
  return current;
}

/** Loads and takes a language. German is fetched only by those who read it. */
export async function chooseLanguage(next: Language): Promise<void> {
  m = next === 'de' ? (await import('./de')).de : en;
  current = next;
  if (typeof document !== 'undefined') document.documentElement.lang = next;
}

/** The reader's choice, else the browser's first language. */
export function preferredLanguage(stored: string | null, browser: string): Language {
  if (stored === 'en' || stored === 'de') return stored;
  return browser.toLowerCase().startsWith('de') ? 'de' : 'en';
}
