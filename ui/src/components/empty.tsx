/** Why a list is empty: nothing was ever stored, nothing in this range, or nothing in this environment. */

import { statusQuery } from '../api/queries';
import * as format from '../base/format';
import { m } from '../base/i18n';
import { Empty, RemoveEnvironment } from './states';
import { Go, useData, useScope, useSetView } from './view';

const aroundMs = 15 * 60_000;

/** Moves the time range to where the newest event is. */
export function WidenTo({ newestUs }: { newestUs: number }) {
  const setView = useSetView();
  const newest = newestUs / 1000;
  return (
    <button
      type="button"
      className="button primary"
      onClick={() =>
        setView({
          from: new Date(newest - aroundMs).toISOString(),
          to: new Date(Math.min(Date.now(), newest + aroundMs / 3) + 1000).toISOString(),
        })
      }
    >
      {m.states.widen(format.dateTime(newestUs))}
    </button>
  );
}

/** For screens whose answer does not say when data was last seen; the server's status does. */
export function NothingHere({ title, text }: { title?: string; text?: string }) {
  const { env } = useScope();
  const { data } = useData(statusQuery());
  const newest = data?.newest_service?.timestamp_us;
  if (data && data.newest_service == null) {
    return (
      <Empty title={m.states.neverTitle} text={m.states.neverText}>
        <Go to="/start" className="button primary">
          {m.states.toStart}
        </Go>
      </Empty>
    );
  }
  return (
    <Empty title={title ?? m.states.rangeTitle} text={env ? m.states.envText(env) : (text ?? m.states.rangeText)}>
      <RemoveEnvironment />
      {newest !== undefined && newest !== null && <WidenTo newestUs={newest} />}
    </Empty>
  );
}
