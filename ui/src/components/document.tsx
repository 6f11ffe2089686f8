/** Parts of a stored document: fields, labels, JSON and stack frames. All text is foreign and shown as text only. */

import { ChevronDown, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { type ExceptionView, type Field, type Frame, flatten, foldFrames, isObject } from '../base/document';
import { m } from '../base/i18n';
import { CopyButton } from './copy';

const previewMax = 64 * 1024;
const valueMax = 2000;

function Value({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  if (text.length <= valueMax || whole) return <span className="value">{text}</span>;
  return (
    <span className="value">
      {text.slice(0, valueMax)}…{' '}
      <button type="button" className="link" onClick={() => setWhole(true)}>
        {m.common.more(text.length - valueMax)}
      </button>
    </span>
  );
}

export function Fields({ fields }: { fields: readonly Field[] }) {
  return (
    <dl className="fields">
      {fields.map((field) => (
        <div key={field.name}>
          <dt>{field.name}</dt>
          <dd>
            <Value text={field.value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

const elsewhere = new Set([
  'span.stacktrace',
  'error.exception',
  'error.log.stacktrace',
  'labels',
  'numeric_labels',
  'processor',
  'data_stream',
  '@timestamp',
  'timestamp',
]);

/** All other fields by their first name, with a filter. */
export function Metadata({ document }: { document: unknown }) {
  const [filter, setFilter] = useState('');
  const groups = useMemo(() => {
    const needle = filter.toLowerCase();
    const out = new Map<string, Field[]>();
    for (const field of flatten(document, elsewhere)) {
      if (needle && !`${field.name} ${field.value}`.toLowerCase().includes(needle)) continue;
      const group = field.name.split('.')[0] ?? '';
      const known = out.get(group);
      if (known) known.push(field);
      else out.set(group, [field]);
    }
    return [...out];
  }, [document, filter]);
  return (
    <>
      <input
        type="search"
        className="input"
        aria-label={m.detail.filterMetadata}
        placeholder={m.detail.filterMetadata}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      {groups.length === 0 && <p className="dim">{m.states.filterText(filter)}</p>}
      {groups.map(([group, fields]) => (
        <section key={group} className="field-group">
          <h4>{group}</h4>
          <Fields fields={fields} />
        </section>
      ))}
    </>
  );
}

export function JsonView({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  const text = useMemo(() => JSON.stringify(value, null, 2) ?? '', [value]);
  const shown = whole ? text : text.slice(0, previewMax);
  return (
    <div className="json">
      <CopyButton text={text} iconOnly />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
      <pre tabIndex={0}>{shown}</pre>
      {shown.length < text.length && (
        <button type="button" className="button" onClick={() => setWhole(true)}>
          {m.common.more(text.length - shown.length)}
        </button>
      )}
    </div>
  );
}

function FrameLines({ frame }: { frame: Frame }) {
  if (frame.context === undefined) return null;
  const start = (frame.line ?? 0) - frame.before.length;
  const lines = [...frame.before, frame.context, ...frame.after];
  return (
    <pre className="source">
      {lines.map((line, i) => (
        <span key={i} className={i === frame.before.length ? 'source-line here' : 'source-line'}>
          <span className="source-number">{frame.line === undefined ? '' : start + i}</span>
          {line || ' '}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function FrameView({ frame, open }: { frame: Frame; open: boolean }) {
  const hasMore = frame.context !== undefined || frame.vars !== undefined;
  const head = (
    <>
      <span className="mono">{frame.file || m.common.unknown}</span>
      {frame.function && (
        <>
          {' '}
          <span className="dim">{m.errors.inModule('').trim()}</span> <b className="mono">{frame.function}</b>
        </>
      )}
      {frame.line !== undefined && <span className="dim"> {m.errors.atLine(frame.line)}</span>}
    </>
  );
  if (!hasMore) return <div className="frame-head plain">{head}</div>;
  return (
    <details className="frame" open={open}>
      <summary className="frame-head">{head}</summary>
      <FrameLines frame={frame} />
      {isObject(frame.vars) && Object.keys(frame.vars).length > 0 && (
        <details className="vars">
          <summary>{m.errors.variables}</summary>
          <Fields
            fields={Object.entries(frame.vars).map(([name, value]) => ({
              name,
              value: typeof value === 'string' ? value : JSON.stringify(value),
            }))}
          />
        </details>
      )}
    </details>
  );
}

function LibraryRun({ frames }: { frames: readonly Frame[] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="link library" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <ChevronDown size={13} aria-hidden /> : <ChevronRight size={13} aria-hidden />}
        {m.errors.libraryFrames(frames.length)}
      </button>
      {open && frames.map((frame, i) => <FrameView key={i} frame={frame} open={false} />)}
    </>
  );
}

/** Frames innermost first, as sent; the first own frame is open. */
export function StackTrace({ frames }: { frames: readonly Frame[] }) {
  if (frames.length === 0) return <p className="dim">{m.errors.noFrames}</p>;
  const runs = foldFrames(frames);
  const firstOwn = runs.findIndex((run) => !run.library);
  return (
    <div className="stack">
      {runs.map((run, i) =>
        run.library ? (
          <LibraryRun key={i} frames={run.frames} />
        ) : (
          run.frames.map((frame, k) => <FrameView key={`${i}/${k}`} frame={frame} open={i === firstOwn} />)
        ),
      )}
    </div>
  );
}

/** The chain of causes, outermost first. */
export function ExceptionChain({ exceptions }: { exceptions: readonly ExceptionView[] }) {
  return exceptions.map((exception, i) => (
    <section key={i} className="exception">
      <h3>
        {i > 0 && <span className="dim">{m.errors.causedBy} </span>}
        <span className="error-text">{exception.type ?? m.errors.exception}</span>
        {exception.module && <span className="dim mono small"> {exception.module}</span>}
      </h3>
      {exception.message && (
        <p className="message">
          <Value text={exception.message} />
        </p>
      )}
      <StackTrace frames={exception.frames} />
    </section>
  ));
}
