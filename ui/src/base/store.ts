/** A value that components can subscribe to, for preferences that are neither in the URL nor from the server. */

export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let current = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Reads a preference; storage may be forbidden. */
export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(`tokenfall.${key}`);
  } catch {
    return null;
  }
}

export function writePreference(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tokenfall.${key}`);
    else localStorage.setItem(`tokenfall.${key}`, value);
  } catch {
    // A preference that cannot be kept is only lost at the next visit.
  }
}
