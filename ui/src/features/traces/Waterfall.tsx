/** The waterfall: canvas rows in a native scroll container, with a tree of the visible rows for keyboard and screen reader. */

import {
  type CSSProperties,
  type PointerEvent as ReactPointerEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { m } from '../../base/i18n';
import { readPreference, writePreference } from '../../base/store';
import { useHotkeys } from '../../components/hotkeys';
import { useTheme } from '../../components/theme';
import { useSetView, useView } from '../../components/view';
import { drawMinimap, drawRuler } from './draw/minimap';
import { prepare, readPaint } from './draw/paint';
import { drawRows, durationWidth, indent, rowHeight, type Scene } from './draw/rows';
import { describeRow, levelAttributes } from './model/describe';
import {
  collapseAll,
  type Folding,
  groupOf,
  hasChildren,
  isGroup,
  itemOfRow,
  nothingFolded,
  reveal,
  rowIndex,
  rowOfGroup,
  stepLevel,
  visibleRows,
} from './model/rows';
import { clampZoom, isWhole, pan, toTime, type Zoom, zoomAround } from './model/scale';
import { keepWithAncestors, searchTrace } from './model/search';
import { flag, has, itemById, type Trace } from './model/trace';
import { WaterfallTools } from './WaterfallTools';

const minimapHeight = 56;
const rulerHeight = 24;
const nameMin = 150;
const narrowPx = 640;
/** Rows of the accessible tree before and after those on screen. */
const overscan = 6;
const restMs = 90;
/** Browsers end somewhere above this height; longer lists are scrolled in proportion. */
const scrollMax = 10_000_000;

interface Props {
  trace: Trace;
  /** Height of the rows' area; absent = all that the parent has. */
  rowsMax?: number;
}

export function Waterfall({ trace, rowsMax }: Props) {
  const view = useView();
  const setView = useSetView();
  const theme = useTheme();
  const [folding, setFolding] = useState<Folding>(nothingFolded);
  const [cursor, setCursor] = useState(0);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [range, setRange] = useState({ first: 0, last: 40 });
  const [nameWidth, setNameWidth] = useState(() => Number(readPreference('nameWidth')) || 420);
  const [onlyHits, setOnlyHits] = useState(false);
  const urlZoom = useMemo<Zoom>(
    () => clampZoom({ t0: view.t0 ?? 0, t1: view.t1 ?? trace.durationUs }, trace.durationUs),
    [view.t0, view.t1, trace],
  );
  const [zoom, setZoomState] = useState(urlZoom);

  const scroller = useRef<HTMLDivElement>(null);
  const tree = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const minimap = useRef<HTMLCanvasElement>(null);
  const ruler = useRef<HTMLCanvasElement>(null);
  const findInput = useRef<HTMLInputElement>(null);
  const hover = useRef(-1);
  const hoverX = useRef(-1);
  const frame = useRef(0);
  const zoomTimer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const restTimer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => setZoomState(urlZoom), [urlZoom]);

  const find = view.find ?? '';
  const hits = useMemo(() => searchTrace(trace, find), [trace, find]);
  const hitMask = useMemo(() => {
    if (find === '') return null;
    const mask = new Uint8Array(trace.size);
    for (const hit of hits) mask[hit] = 1;
    return mask;
  }, [trace, hits, find]);
  const effective = useMemo<Folding>(
    () => (onlyHits && hits.length > 0 ? { ...folding, keep: keepWithAncestors(trace, hits) } : folding),
    [folding, onlyHits, hits, trace],
  );
  const rows = useMemo(() => visibleRows(trace, effective), [trace, effective]);
  const index = useMemo(() => rowIndex(trace, rows), [trace, rows]);
  const selectedItem = useMemo(() => (view.span ? itemById(trace, view.span) : -1), [trace, view.span]);
  const selectedRow = selectedItem >= 0 ? (index[selectedItem] ?? -1) : -1;
  const narrow = size.width > 0 && size.width < narrowPx;
  const names = Math.max(
    nameMin,
    Math.min(nameWidth, Math.max(nameMin, narrow ? size.width * 0.45 : size.width - 160)),
  );
  const bars = Math.max(1, size.width - names - 12);
  const totalHeight = rows.length * rowHeight;
  const sizerHeight = Math.min(totalHeight, scrollMax);
  const stretch = totalHeight > scrollMax ? (totalHeight - size.height) / (scrollMax - size.height) : 1;
  const scrolled = useCallback(() => (scroller.current?.scrollTop ?? 0) * stretch, [stretch]);

  const scene = useRef<Omit<Scene, 'scrollTop' | 'hover'> | null>(null);
  scene.current = {
    trace,
    rows,
    index,
    collapsed: effective.keep ? nothingFolded.collapsed : effective.collapsed,
    opened: effective.opened,
    zoom,
    width: size.width,
    height: size.height,
    nameWidth: names,
    cursor,
    selected: selectedRow,
    showPath: view.cp === true,
    hits: hitMask,
    manyServices: trace.services.length > 1,
    narrow,
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is what the colours are read for
  const paint = useMemo(() => readPaint(), [theme]);
  const paintRef = useRef(paint);
  paintRef.current = paint;

  const draw = useCallback(() => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      const now = scene.current;
      if (!now || now.width === 0) return;
      const pens = paintRef.current;
      const ctx = canvas.current && prepare(canvas.current, now.width, now.height);
      if (ctx) drawRows(ctx, { ...now, scrollTop: scrolled(), hover: hover.current }, pens);
      const rulerCtx = ruler.current && prepare(ruler.current, now.width - now.nameWidth, rulerHeight);
      if (rulerCtx) drawRuler(rulerCtx, now.zoom, now.width - now.nameWidth, rulerHeight, pens, hoverX.current);
    });
  }, [scrolled]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useLayoutEffect(draw);

  useEffect(() => {
    if (size.width === 0) return;
    const ctx = minimap.current && prepare(minimap.current, size.width, minimapHeight);
    if (ctx) drawMinimap(ctx, trace, zoom, hits, view.cp === true, size.width, minimapHeight, paint);
  }, [trace, zoom, hits, view.cp, size.width, paint]);

  const settle = useCallback(() => {
    const top = scrolled();
    const height = scroller.current?.clientHeight ?? 600;
    setRange({
      first: Math.max(0, Math.floor(top / rowHeight) - overscan),
      last: Math.floor((top + height) / rowHeight) + overscan,
    });
  }, [scrolled]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => {
      setSize({ width: box.clientWidth, height: box.clientHeight });
      settle();
    };
    measure();
    if (typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [settle]);

  const onScroll = () => {
    draw();
    clearTimeout(restTimer.current);
    restTimer.current = setTimeout(settle, restMs);
  };

  const scrollToRow = useCallback(
    (row: number, place: 'near' | 'middle' = 'near') => {
      const box = scroller.current;
      if (!box || row < 0) return;
      const top = row * rowHeight;
      const now = scrolled();
      const height = box.clientHeight;
      if (place === 'near' && top >= now && top + rowHeight <= now + height) return;
      const target = place === 'middle' ? top - height / 2 : top < now ? top : top + rowHeight - height;
      box.scrollTop = Math.max(0, target) / stretch;
      settle();
      draw();
    },
    [scrolled, stretch, settle, draw],
  );

  const setZoom = useCallback(
    (next: Zoom) => {
      const clamped = clampZoom(next, trace.durationUs);
      setZoomState(clamped);
      clearTimeout(zoomTimer.current);
      zoomTimer.current = setTimeout(() => {
        const whole = isWhole(clamped, trace.durationUs);
        setView(
          { t0: whole ? undefined : Math.floor(clamped.t0), t1: whole ? undefined : Math.ceil(clamped.t1) },
          'replace',
        );
      }, 250);
    },
    [trace, setView],
  );
  useEffect(() => () => clearTimeout(zoomTimer.current), []);

  const select = useCallback(
    (item: number, mode: 'push' | 'replace' = 'push') => setView({ span: trace.ids[item] }, mode),
    [trace, setView],
  );

  /** Moves the cursor; an open details panel follows it. */
  const moveTo = useCallback(
    (row: number) => {
      const target = Math.max(0, Math.min(rows.length - 1, row));
      setCursor(target);
      scrollToRow(target);
      if (view.span) select(itemOfRow(trace, rows[target] ?? 0), 'replace');
    },
    [rows, scrollToRow, view.span, select, trace],
  );

  const goToItem = useCallback(
    (item: number) => {
      if (item < 0) return;
      const next = reveal(trace, folding, item);
      const nextRows = (index[item] ?? -1) >= 0 ? rows : visibleRows(trace, next);
      if (nextRows !== rows) {
        setOnlyHits(false);
        setFolding(next);
      }
      const row = nextRows.indexOf(item);
      setCursor(Math.max(0, row));
      requestAnimationFrame(() => scrollToRow(row, 'middle'));
    },
    [trace, folding, index, rows, scrollToRow],
  );

  // A link to a span always lands on it, however deep it is hidden.
  const landed = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (size.height === 0 || landed.current === view.span) return;
    landed.current = view.span;
    if (selectedItem < 0) return;
    const row = index[selectedItem] ?? -1;
    if (row >= 0) {
      setCursor(row);
      scrollToRow(row);
    } else {
      goToItem(selectedItem);
    }
  }, [size.height, view.span, selectedItem, index, scrollToRow, goToItem]);

  const toggle = useCallback(
    (row: number, open?: boolean) => {
      const entry = rows[row];
      if (entry === undefined) return;
      setFolding((old) => {
        if (isGroup(entry)) {
          const opened = new Set(old.opened);
          const want = open ?? !opened.has(groupOf(entry));
          if (want) opened.add(groupOf(entry));
          else opened.delete(groupOf(entry));
          return { ...old, opened };
        }
        if (!hasChildren(trace, entry)) return old;
        const collapsed = new Set(old.collapsed);
        const want = open ?? collapsed.has(entry);
        if (want) collapsed.delete(entry);
        else collapsed.add(entry);
        return { ...old, collapsed };
      });
    },
    [rows, trace],
  );

  const isOpen = (row: number): boolean | undefined => {
    if (isGroup(row)) return effective.opened.has(groupOf(row));
    return hasChildren(trace, row) ? !effective.collapsed.has(row) || effective.keep !== null : undefined;
  };

  const left = () => {
    const row = rows[cursor];
    if (row === undefined) return;
    if (isOpen(row)) return toggle(cursor, false);
    const item = itemOfRow(trace, row);
    const group = isGroup(row) ? -1 : (trace.groups.of[item] ?? -1);
    const up = group >= 0 ? rows.indexOf(rowOfGroup(group)) : (index[trace.parent[item] ?? -1] ?? -1);
    if (up >= 0) moveTo(up);
  };
  const right = () => {
    const row = rows[cursor];
    if (row === undefined) return;
    const open = isOpen(row);
    if (open === false) toggle(cursor, true);
    else if (open) moveTo(cursor + 1);
  };

  const hop = (items: ArrayLike<number>, step: 1 | -1) => {
    if (items.length === 0) return;
    const here = itemOfRow(trace, rows[cursor] ?? 0);
    let found = -1;
    for (let k = 0; k < items.length; k++) {
      const item = items[step === 1 ? k : items.length - 1 - k] ?? -1;
      if (step === 1 ? item > here : item < here) {
        found = item;
        break;
      }
    }
    const target = found >= 0 ? found : (items[step === 1 ? 0 : items.length - 1] ?? -1);
    goToItem(target);
    if (view.span) select(target, 'replace');
  };
  const failures = useMemo(() => {
    const out: number[] = [];
    for (let i = 0; i < trace.size; i++) if ((trace.errorCount[i] ?? 0) > 0 || has(trace, i, flag.failure)) out.push(i);
    return out;
  }, [trace]);

  const fitRow = (row: number) => {
    const item = itemOfRow(trace, rows[row] ?? 0);
    const from = trace.offset[item] ?? 0;
    const wide = Math.max(10, trace.duration[item] ?? 0);
    setZoom({ t0: from - wide * 0.05, t1: from + wide * 1.05 });
  };
  const width = zoom.t1 - zoom.t0;
  const centre = (zoom.t0 + zoom.t1) / 2;

  useHotkeys({
    j: () => moveTo(cursor + 1),
    k: () => moveTo(cursor - 1),
    c: () => setView({ cp: view.cp ? undefined : true }, 'replace'),
    e: () => hop(failures, 1),
    'shift+e': () => hop(failures, -1),
    '/': () => findInput.current?.focus(),
    n: () => find !== '' && hop(hits, 1),
    'shift+n': () => find !== '' && hop(hits, -1),
    '0': () => setZoom({ t0: 0, t1: trace.durationUs }),
    '+': () => setZoom(zoomAround(zoom, centre, 0.6, trace.durationUs)),
    '=': () => setZoom(zoomAround(zoom, centre, 0.6, trace.durationUs)),
    '-': () => setZoom(zoomAround(zoom, centre, 1 / 0.6, trace.durationUs)),
    w: () => setZoom(zoomAround(zoom, centre, 0.6, trace.durationUs)),
    s: () => setZoom(zoomAround(zoom, centre, 1 / 0.6, trace.durationUs)),
    a: () => setZoom(pan(zoom, -width * 0.2, trace.durationUs)),
    d: () => setZoom(pan(zoom, width * 0.2, trace.durationUs)),
    f: () => fitRow(cursor),
    '[': () => setFolding(stepLevel(trace, folding, -1)),
    ']': () => setFolding(stepLevel(trace, folding, 1)),
    escape: () =>
      view.span
        ? setView({ span: undefined, tab: undefined })
        : view.find
          ? setView({ find: undefined }, 'replace')
          : undefined,
  });

  const onTreeKey = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(size.height / rowHeight) - 1);
    const actions: Record<string, () => void> = {
      ArrowDown: () => moveTo(cursor + 1),
      ArrowUp: () => moveTo(cursor - 1),
      PageDown: () => moveTo(cursor + page),
      PageUp: () => moveTo(cursor - page),
      Home: () => moveTo(0),
      End: () => moveTo(rows.length - 1),
      ArrowLeft: left,
      ArrowRight: right,
      Enter: () => activate(cursor),
      ' ': () => activate(cursor),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  const activate = (row: number) => {
    const entry = rows[row];
    if (entry === undefined) return;
    if (isGroup(entry)) toggle(row);
    else select(entry);
  };

  // Keyboard focus follows the cursor, also when its element was not there before.
  useEffect(() => {
    const box = tree.current;
    if (!box?.contains(document.activeElement)) return;
    box.querySelector<HTMLElement>(`[data-row="${cursor}"]`)?.focus({ preventScroll: true });
  });

  const rowAt = (event: { clientY: number }) => {
    const box = scroller.current;
    if (!box) return -1;
    const row = Math.floor((event.clientY - box.getBoundingClientRect().top + scrolled()) / rowHeight);
    return row < rows.length ? row : -1;
  };
  const onMove = (event: ReactPointerEvent) => {
    const box = scroller.current?.getBoundingClientRect();
    const row = rowAt(event);
    const x = box ? event.clientX - box.left - names : -1;
    if (row === hover.current && x === hoverX.current) return;
    hover.current = row;
    hoverX.current = x >= 0 && x <= bars ? x : -1;
    draw();
  };
  const onLeave = () => {
    hover.current = -1;
    hoverX.current = -1;
    draw();
  };
  const onClick = (event: React.MouseEvent) => {
    const row = rowAt(event);
    const entry = rows[row];
    const box = scroller.current?.getBoundingClientRect();
    if (entry === undefined || !box) return;
    setCursor(row);
    const x = event.clientX - box.left;
    const item = itemOfRow(trace, entry);
    const member = !isGroup(entry) && (trace.groups.of[item] ?? -1) >= 0 ? 1 : 0;
    const caret = indent((trace.depth[item] ?? 0) + member, names);
    if (x >= caret - 6 && x < caret + 14 && isOpen(entry) !== undefined) toggle(row);
    else activate(row);
  };
  const onDoubleClick = (event: React.MouseEvent) => {
    const row = rowAt(event);
    if (row >= 0) fitRow(row);
  };

  // React listens to wheels passively; zooming must keep the page from zooming too.
  const wheel = useRef<(event: WheelEvent) => void>(() => undefined);
  wheel.current = (event) => {
    if (!event.ctrlKey && !event.metaKey) {
      if (!event.shiftKey || isWhole(zoom, trace.durationUs)) return;
      event.preventDefault();
      setZoom(pan(zoom, ((event.deltaY || event.deltaX) / bars) * width, trace.durationUs));
      return;
    }
    event.preventDefault();
    const box = scroller.current?.getBoundingClientRect();
    if (!box) return;
    const at = toTime(zoom, Math.max(0, Math.min(bars, event.clientX - box.left - names)), bars);
    setZoom(zoomAround(zoom, at, event.deltaY > 0 ? 1.25 : 0.8, trace.durationUs));
  };
  useEffect(() => {
    const box = scroller.current;
    const listener = (event: WheelEvent) => wheel.current(event);
    box?.addEventListener('wheel', listener, { passive: false });
    return () => box?.removeEventListener('wheel', listener);
  }, []);

  const [drag, setDrag] = useState<{ x0: number; x1: number; left: number } | null>(null);
  /** Dragging over the ruler or the minimap zooms to what was covered. */
  const dragZoom = (event: ReactPointerEvent<HTMLElement>, over: Zoom, axis: number, at: number) => {
    if (event.button !== 0) return;
    const target = event.currentTarget;
    const box = target.getBoundingClientRect();
    const start = event.clientX - box.left;
    const clampX = (x: number) => Math.max(0, Math.min(axis, x));
    target.setPointerCapture(event.pointerId);
    const move = (e: PointerEvent) => setDrag({ x0: start, x1: clampX(e.clientX - box.left), left: at });
    const up = (e: PointerEvent) => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', up);
      target.removeEventListener('pointercancel', up);
      setDrag(null);
      const stop = clampX(e.clientX - box.left);
      const a = toTime(over, Math.min(start, stop), axis);
      const b = toTime(over, Math.max(start, stop), axis);
      if (Math.abs(stop - start) > 4) setZoom({ t0: a, t1: b });
      else if (over.t0 === 0 && !isWhole(zoom, trace.durationUs))
        setZoom(clampZoom({ t0: a - width / 2, t1: a + width / 2 }, trace.durationUs));
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', up);
    target.addEventListener('pointercancel', up);
  };

  const resize = (next: number) => {
    const value = Math.round(Math.max(nameMin, Math.min(size.width - 160, next)));
    setNameWidth(value);
    writePreference('nameWidth', String(value));
  };
  const dragSplitter = (event: ReactPointerEvent<HTMLElement>) => {
    const target = event.currentTarget;
    const base = names - event.clientX;
    target.setPointerCapture(event.pointerId);
    const move = (e: PointerEvent) => resize(base + e.clientX);
    const up = () => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', up);
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', up);
  };

  const current = hits.indexOf(itemOfRow(trace, rows[cursor] ?? 0));
  const visible: number[] = [];
  for (let r = range.first; r <= Math.min(range.last, rows.length - 1); r++) visible.push(r);
  if (cursor < rows.length && !visible.includes(cursor)) visible.push(cursor);
  const anyCollapsed = folding.collapsed.size > 0;

  return (
    <div
      className="wf"
      style={{ '--wf-names': `${names}px`, '--wf-durations': narrow ? '0px' : `${durationWidth}px` } as CSSProperties}
    >
      <WaterfallTools
        trace={trace}
        findInput={findInput}
        hits={hits}
        current={current}
        onlyHits={onlyHits}
        onOnlyHits={setOnlyHits}
        onHop={(step) => hop(hits, step)}
        anyCollapsed={anyCollapsed}
        onFold={() => setFolding(anyCollapsed ? nothingFolded : collapseAll(trace))}
        isWhole={isWhole(zoom, trace.durationUs)}
        onWhole={() => setZoom({ t0: 0, t1: trace.durationUs })}
      />
      <div
        className="wf-minimap"
        onPointerDown={(event) => dragZoom(event, { t0: 0, t1: trace.durationUs }, size.width, 0)}
      >
        <canvas
          ref={minimap}
          aria-hidden
          title={m.waterfall.minimap}
          style={{ width: size.width, height: minimapHeight }}
        />
        {drag && drag.left === 0 && (
          <span className="wf-drag" style={{ left: Math.min(drag.x0, drag.x1), width: Math.abs(drag.x1 - drag.x0) }} />
        )}
      </div>
      <div className="wf-head">
        <span className="wf-head-name">{m.waterfall.name}</span>
        {!narrow && (
          <span className="wf-head-duration" style={{ width: durationWidth }}>
            {m.waterfall.duration}
          </span>
        )}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: keys zoom as well, wherever the focus is */}
        <div
          className="wf-ruler"
          onPointerDown={(event) => dragZoom(event, zoom, bars, names)}
          onDoubleClick={() => setZoom({ t0: 0, t1: trace.durationUs })}
        >
          <canvas ref={ruler} aria-hidden style={{ width: Math.max(0, size.width - names), height: rulerHeight }} />
          {drag && drag.left !== 0 && (
            <span
              className="wf-drag"
              style={{ left: Math.min(drag.x0, drag.x1), width: Math.abs(drag.x1 - drag.x0) }}
            />
          )}
        </div>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the tree inside has the keys and the names */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tree inside has the keys and the names */}
      <div
        ref={scroller}
        className="wf-scroll"
        style={
          rowsMax === undefined
            ? undefined
            : { height: Math.max(120, Math.min(rowsMax, totalHeight + 2)), flex: 'none' }
        }
        onScroll={onScroll}
        onPointerMove={onMove}
        onPointerLeave={onLeave}
        onClick={onClick}
        onDoubleClick={onDoubleClick}
      >
        <div className="wf-sizer" style={{ height: sizerHeight }}>
          <canvas ref={canvas} className="wf-canvas" aria-hidden style={{ width: size.width, height: size.height }} />
          <div ref={tree} role="tree" aria-label={m.waterfall.title} className="wf-tree" onKeyDown={onTreeKey}>
            {visible.map((r) => {
              const row = rows[r] ?? 0;
              const item = itemOfRow(trace, row);
              return (
                <div
                  key={row}
                  role="treeitem"
                  data-row={r}
                  data-id={isGroup(row) ? undefined : trace.ids[item]}
                  tabIndex={r === cursor ? 0 : -1}
                  aria-label={describeRow(trace, row)}
                  aria-selected={r === selectedRow}
                  aria-expanded={isOpen(row)}
                  {...levelAttributes(trace, row)}
                  onFocus={() => setCursor(r)}
                  style={{
                    top:
                      stretch === 1 ? r * rowHeight : r * rowHeight - scrolled() + (scroller.current?.scrollTop ?? 0),
                    height: rowHeight,
                  }}
                />
              );
            })}
          </div>
        </div>
      </div>
      {/** biome-ignore lint/a11y/useSemanticElements: a splitter that moves is not a horizontal rule */}
      <div
        className="wf-splitter"
        role="separator"
        tabIndex={0}
        aria-orientation="vertical"
        aria-label={m.waterfall.nameWidth}
        aria-valuenow={names}
        aria-valuemin={nameMin}
        aria-valuemax={Math.max(nameMin, Math.round(size.width - 160))}
        onPointerDown={dragSplitter}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') resize(names - 16);
          else if (event.key === 'ArrowRight') resize(names + 16);
        }}
      />
    </div>
  );
}
