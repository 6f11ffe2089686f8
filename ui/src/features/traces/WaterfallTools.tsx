/** What stands above a waterfall: search, critical path, folding, zoom, legend. */

import { ChevronsDownUp, ChevronsUpDown, Maximize2, Route, Search } from 'lucide-react';
import type { RefObject } from 'react';
import * as format from '../../base/format';
import { m } from '../../base/i18n';
import { IconButton } from '../../components/iconbutton';
import { useSetView, useView } from '../../components/view';
import { kinds, type Trace } from './model/trace';

/** Colours for services; with more services they repeat. */
const servicePalette = 6;

interface Props {
  trace: Trace;
  findInput: RefObject<HTMLInputElement | null>;
  /** Items that match the search. */
  hits: ArrayLike<number>;
  /** Position of the cursor's item among them; −1 = it is none of them. */
  current: number;
  onlyHits: boolean;
  onOnlyHits: (only: boolean) => void;
  /** To the next or previous match. */
  onHop: (step: 1 | -1) => void;
  anyCollapsed: boolean;
  onFold: () => void;
  /** The whole trace is in view. */
  isWhole: boolean;
  onWhole: () => void;
}

export function WaterfallTools(props: Props) {
  const { trace, findInput, hits, current, onlyHits, onOnlyHits, onHop, anyCollapsed, onFold, isWhole, onWhole } =
    props;
  const view = useView();
  const setView = useSetView();
  const find = view.find ?? '';
  const shareTotal = trace.path.total;
  return (
    <div className="wf-tools">
      <label className="field wf-find">
        <Search size={14} aria-hidden />
        <input
          ref={findInput}
          type="search"
          aria-label={m.waterfall.find}
          placeholder={m.waterfall.find}
          value={find}
          onChange={(event) => setView({ find: event.target.value || undefined }, 'replace')}
          onKeyDown={(event) => {
            if (event.key === 'Enter') {
              event.preventDefault();
              onHop(event.shiftKey ? -1 : 1);
            } else if (event.key === 'Escape') {
              event.stopPropagation();
              setView({ find: undefined }, 'replace');
              event.currentTarget.blur();
            }
          }}
        />
        <kbd aria-hidden>/</kbd>
      </label>
      {find !== '' && (
        <>
          <span className="dim" role="status">
            {m.waterfall.hits(current + 1, hits.length)}
          </span>
          <label className="check">
            <input type="checkbox" checked={onlyHits} onChange={(event) => onOnlyHits(event.target.checked)} />
            {m.waterfall.onlyHits}
          </label>
        </>
      )}
      <button
        type="button"
        className="button"
        aria-pressed={view.cp === true}
        onClick={() => setView({ cp: view.cp ? undefined : true }, 'replace')}
        title="c"
      >
        <Route size={14} aria-hidden />
        {m.waterfall.criticalPath}
      </button>
      <IconButton label={anyCollapsed ? m.waterfall.expandAll : m.waterfall.collapseAll} onClick={onFold}>
        {anyCollapsed ? <ChevronsUpDown size={15} aria-hidden /> : <ChevronsDownUp size={15} aria-hidden />}
      </IconButton>
      <IconButton label={m.waterfall.zoomAll} title={`${m.waterfall.zoomAll} (0)`} disabled={isWhole} onClick={onWhole}>
        <Maximize2 size={14} aria-hidden />
      </IconButton>
      <span className="grow" />
      <span className="wf-legend" aria-hidden>
        {kinds.map((kind, k) => {
          const share = shareTotal > 0 ? (trace.path.byKind[k] ?? 0) / shareTotal : 0;
          const used = trace.kind.includes(k);
          return used ? (
            <span key={kind}>
              <i className={`dot kind-${kind}`} />
              {m.waterfall.kinds[kind]}
              {view.cp && <b>{format.percent(share)}</b>}
            </span>
          ) : null;
        })}
        {trace.services.length > 1 &&
          trace.services.map((service, s) => (
            <span key={service}>
              <i className={`stripe service-${(s % servicePalette) + 1}`} />
              {service}
            </span>
          ))}
      </span>
    </div>
  );
}
