/** Reading stored documents: nested JSON in Elastic's shape, any part of which may be missing or of another type. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path, or undefined. Keys that themselves have dots are found too. */
export function at(document: unknown, path: string): Json | undefined {
  let current: unknown = document;
  const parts = path.split('.');
  for (let i = 0; i < parts.length; i++) {
    if (!isObject(current)) return undefined;
    const rest = parts.slice(i).join('.');
    if (Object.hasOwn(current, rest)) return current[rest];
    const part = parts[i] ?? '';
    if (!Object.hasOwn(current, part)) return undefined;
    current = current[part];
  }
  return current as Json;
}

export function textAt(document: unknown, path: string): string | undefined {
  const value = at(document, path);
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
}

export function numberAt(document: unknown, path: string): number | undefined {
  const value = at(document, path);
  return typeof value === 'number' ? value : undefined;
}

export function listAt(document: unknown, path: string): readonly Json[] {
  const value = at(document, path);
  return Array.isArray(value) ? value : [];
}

export interface Field {
  readonly name: string;
  readonly value: string;
}

const fieldsMax = 5000;

/** All leaves with dotted names, in the document's order, up to a limit. Stack traces have a place of their own. */
export function flatten(value: unknown, skip: ReadonlySet<string> = new Set(), prefix = ''): Field[] {
  const out: Field[] = [];
  // An explicit stack: hostile nesting must not overflow the call stack.
  const stack: [name: string, value: unknown][] = [[prefix, value]];
  while (stack.length > 0 && out.length < fieldsMax) {
    const [name, current] = stack.pop() ?? ['', null];
    if (skip.has(name)) continue;
    if (Array.isArray(current) && current.every((v) => !isObject(v) && !Array.isArray(v))) {
      out.push({ name, value: current.map(String).join(', ') });
    } else if (isObject(current) || Array.isArray(current)) {
      const entries = Object.entries(current);
      for (let i = entries.length - 1; i >= 0; i--) {
        const [key, child] = entries[i] ?? ['', null];
        stack.push([name === '' ? key : `${name}.${key}`, child]);
      }
    } else if (name !== '') {
      out.push({ name, value: String(current) });
    }
  }
  return out;
}

/** String and numeric labels of a document, by name. */
export function labelsOf(document: unknown): Field[] {
  const out: Field[] = [];
  for (const path of ['labels', 'numeric_labels']) {
    const part = at(document, path);
    if (!isObject(part)) continue;
    for (const [name, value] of Object.entries(part)) {
      out.push({ name, value: Array.isArray(value) ? value.map(String).join(', ') : String(value) });
    }
  }
  return out.sort((a, b) => a.name.localeCompare(b.name));
}

export interface Frame {
  readonly file: string;
  readonly function: string | undefined;
  readonly module: string | undefined;
  readonly line: number | undefined;
  readonly context: string | undefined;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly library: boolean;
  readonly vars: Json | undefined;
}

export function framesOf(list: readonly Json[]): Frame[] {
  return list.map((frame) => ({
    file: textAt(frame, 'filename') ?? textAt(frame, 'abs_path') ?? textAt(frame, 'classname') ?? '',
    function: textAt(frame, 'function'),
    module: textAt(frame, 'module') ?? textAt(frame, 'classname'),
    line: numberAt(frame, 'line.number'),
    context: textAt(frame, 'line.context'),
    before: listAt(frame, 'context.pre').map(String),
    after: listAt(frame, 'context.post').map(String),
    library: at(frame, 'library_frame') === true,
    vars: at(frame, 'vars'),
  }));
}

/** Runs of library frames are folded between the program's own frames. */
export function foldFrames(frames: readonly Frame[]): { library: boolean; frames: readonly Frame[] }[] {
  const runs: { library: boolean; frames: Frame[] }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last?.library && frame.library) last.frames.push(frame);
    else runs.push({ library: frame.library, frames: [frame] });
  }
  return runs;
}

export interface ExceptionView {
  readonly type: string | undefined;
  readonly message: string | undefined;
  readonly module: string | undefined;
  readonly code: string | undefined;
  readonly handled: boolean | undefined;
  readonly frames: readonly Frame[];
}

/** Exceptions of an error document, outermost first. */
export function exceptionsOf(document: unknown): ExceptionView[] {
  return listAt(document, 'error.exception').map((exception) => {
    const handled = at(exception, 'handled');
    return {
      type: textAt(exception, 'type'),
      message: textAt(exception, 'message'),
      module: textAt(exception, 'module'),
      code: textAt(exception, 'code'),
      handled: typeof handled === 'boolean' ? handled : undefined,
      frames: framesOf(listAt(exception, 'stacktrace')),
    };
  });
}
