import { Clock } from 'lucide-react';
import { type RefObject, useState } from 'react';
import { Button, Dialog, DialogTrigger, Popover } from 'react-aria-components';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { presets, rangeMs, relativeParts, toLocalInput } from '../base/time';
import { useSetView, useView } from '../components/view';

export function rangeLabel(from: string, to: string, nowMs: number): string {
  const relative = relativeParts(from, to);
  if (relative) return m.header.last(relative.count, relative.unit);
  const range = rangeMs(from, to, nowMs);
  return range
    ? `${format.dateTime(range.from * 1000)} – ${to === 'now' ? m.header.now : format.dateTime(range.to * 1000)}`
    : m.header.custom;
}

export function TimePicker({ trigger }: { trigger: RefObject<HTMLButtonElement | null> }) {
  const { from, to } = useView();
  return (
    <DialogTrigger>
      <Button
        ref={trigger}
        className="button time"
        aria-label={`${m.header.timeRange}: ${rangeLabel(from, to, Date.now())}`}
      >
        <Clock size={14} aria-hidden />
        <span>{rangeLabel(from, to, Date.now())}</span>
      </Button>
      <Popover placement="bottom end" className="popover">
        <Dialog className="time-dialog" aria-label={m.header.timeRange}>
          {({ close }) => <Choices close={close} />}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function Choices({ close }: { close: () => void }) {
  const view = useView();
  const setView = useSetView();
  const now = Date.now();
  const current = rangeMs(view.from, view.to, now) ?? { from: now - 3_600_000, to: now };
  const [from, setFrom] = useState(toLocalInput(current.from));
  const [to, setTo] = useState(toLocalInput(current.to));
  const valid = Date.parse(from) < Date.parse(to);
  return (
    <>
      <ul className="presets">
        {presets.map((preset) => {
          const parts = relativeParts(preset, 'now');
          return (
            <li key={preset}>
              <button
                type="button"
                className="choice"
                aria-pressed={view.from === preset && view.to === 'now'}
                onClick={() => {
                  setView({ from: preset, to: 'now' });
                  close();
                }}
              >
                {parts && m.header.last(parts.count, parts.unit)}
              </button>
            </li>
          );
        })}
      </ul>
      <form
        className="custom-range"
        onSubmit={(event) => {
          event.preventDefault();
          if (!valid) return;
          setView({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
          close();
        }}
      >
        <h3>{m.header.custom}</h3>
        <label>
          {m.header.from}
          <input
            className="input"
            type="datetime-local"
            step="1"
            value={from}
            onChange={(event) => setFrom(event.target.value)}
          />
        </label>
        <label>
          {m.header.to}
          <input
            className="input"
            type="datetime-local"
            step="1"
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        {!valid && (
          <p className="error-text small" role="alert">
            {m.header.rangeInvalid}
          </p>
        )}
        <button type="submit" className="button primary" disabled={!valid}>
          {m.common.apply}
        </button>
        <p className="dim small">{m.header.timeZone(Intl.DateTimeFormat().resolvedOptions().timeZone)}</p>
      </form>
    </>
  );
}
