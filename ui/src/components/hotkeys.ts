/** Keys for actions. They rest while text is typed, a dialog is open or a modifier is held, and can be switched off. */

import { useEffect, useRef } from 'react';
import { createStore, readPreference, writePreference } from '../base/store';

export const hotkeysOn = createStore(readPreference('hotkeys') !== 'off');

export function switchHotkeys(on: boolean): void {
  writePreference('hotkeys', on ? null : 'off');
  hotkeysOn.set(on);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

export type Hotkeys = Record<string, () => void>;

/** Runs the action of a key: `k`, `shift+k`, `escape`, or two in a row such as `g s`. */
export function useHotkeys(keys: Hotkeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let before = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !hotkeysOn.get()) return;
      if (isTyping(event.target) || document.querySelector('[role="dialog"]')) return;
      const single = event.key.toLowerCase();
      const key = event.shiftKey && /^[a-z]$/.test(single) ? `shift+${single}` : single;
      const action = latest.current[`${before} ${key}`] ?? latest.current[before === 'g' ? '' : key];
      before = key === 'g' ? 'g' : '';
      clearTimeout(timer);
      timer = setTimeout(() => {
        before = '';
      }, 1000);
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => {
      window.removeEventListener('keydown', onKey);
      clearTimeout(timer);
    };
  }, []);
}
