/** Dark or light: the system's choice unless the reader made one. */

import { useSyncExternalStore } from 'react';
import { createStore, readPreference, writePreference } from '../base/store';

export type ThemeChoice = 'system' | 'dark' | 'light';

function storedChoice(): ThemeChoice {
  const stored = readPreference('theme');
  return stored === 'dark' || stored === 'light' ? stored : 'system';
}

export const themeChoice = createStore<ThemeChoice>(storedChoice());

const systemLight = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: light)') : null;

function resolve(): 'dark' | 'light' {
  const choice = themeChoice.get();
  return choice === 'system' ? (systemLight?.matches ? 'light' : 'dark') : choice;
}

export const theme = createStore<'dark' | 'light'>(resolve());

function apply(): void {
  const next = resolve();
  document.documentElement.dataset.theme = next;
  theme.set(next);
}

systemLight?.addEventListener?.('change', apply);

export function chooseTheme(choice: ThemeChoice): void {
  writePreference('theme', choice === 'system' ? null : choice);
  themeChoice.set(choice);
  apply();
}

export function useTheme(): 'dark' | 'light' {
  return useSyncExternalStore(theme.subscribe, theme.get);
}

/** The value of a colour token, for canvases. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
