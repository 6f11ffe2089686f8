/** A sortable table whose rows are real links, with the sort in the URL. Long ones are virtualised. */

import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, Search } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import { useHotkeys } from './hotkeys';
import { useSetView, useView } from './view';

export interface Column<T> {
  key: string;
  title: string;
  help?: string;
  /** What the column is sorted by; absent = not sortable. */
  value?: (row: T) => number | string | null | undefined;
  cell: (row: T) => ReactNode;
  numeric?: boolean;
  /** Share of the free width, as a CSS grid track. */
  width?: string;
  /** Left out on narrow screens. */
  optional?: boolean;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** Column and direction while the URL says nothing. */
  sort?: string;
  /** False for a second table of a page: its order is fixed. */
  sortable?: boolean;
}

function compare(a: number | string | null | undefined, b: number | string | null | undefined, down: boolean): number {
  const missingA = a === null || a === undefined;
  const missingB = b === null || b === undefined;
  // What is not known stands last in both directions.
  if (missingA || missingB) return Number(missingA) - Number(missingB);
  const order = typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b)) : a - b;
  return down ? -order : order;
}

const virtualFrom = 100;
const rowPx = 37;

export function DataTable<T>({ label, rows, columns, rowKey, sort, sortable = true }: Props<T>) {
  const view = useView();
  const setView = useSetView();
  const wanted = (sortable ? view.sort : undefined) ?? sort ?? '';
  const down = wanted.startsWith('-');
  const key = down ? wanted.slice(1) : wanted;
  const column = columns.find((c) => c.key === key);
  const ordered = useMemo(() => {
    const value = column?.value;
    return value ? [...rows].sort((a, b) => compare(value(a), value(b), down)) : rows;
  }, [rows, column, down]);
  const body = useRef<HTMLTableSectionElement>(null);
  useRowKeys(body, sortable);

  return (
    <div className="table-box">
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((c) => (
              <th
                key={c.key}
                scope="col"
                className={classes(c)}
                style={c.width ? { width: c.width } : undefined}
                aria-sort={c === column ? (down ? 'descending' : 'ascending') : undefined}
                title={c.help}
              >
                {sortable && c.value ? (
                  <button
                    type="button"
                    className="sort"
                    onClick={() =>
                      setView(
                        { sort: c === column ? (down ? c.key : `-${c.key}`) : c.numeric ? `-${c.key}` : c.key },
                        'replace',
                      )
                    }
                  >
                    {c.title}
                    {c === column && (down ? <ArrowDown size={12} aria-hidden /> : <ArrowUp size={12} aria-hidden />)}
                  </button>
                ) : (
                  c.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        {ordered.length > virtualFrom ? (
          <VirtualBody body={body} rows={ordered} columns={columns} rowKey={rowKey} />
        ) : (
          <tbody ref={body}>
            {ordered.map((row) => (
              <Row key={rowKey(row)} row={row} columns={columns} />
            ))}
          </tbody>
        )}
      </table>
    </div>
  );
}

function classes<T>(column: Column<T>): string {
  return `${column.numeric ? 'num' : ''} ${column.optional ? 'optional' : ''}`;
}

function Row<T>({ row, columns }: { row: T; columns: readonly Column<T>[] }) {
  return (
    <tr>
      {columns.map((c) => (
        <td key={c.key} className={classes(c)}>
          {c.cell(row)}
        </td>
      ))}
    </tr>
  );
}

/** Rows of a long table: only those on screen, with empty space above and below. */
function VirtualBody<T>({
  body,
  rows,
  columns,
  rowKey,
}: {
  body: RefObject<HTMLTableSectionElement | null>;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
}) {
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  useEffect(() => setScroller(document.getElementById('main')), []);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => rowPx,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <tbody ref={body}>
      {above > 0 && (
        <tr aria-hidden>
          <td colSpan={columns.length} style={{ height: above }} />
        </tr>
      )}
      {items.map((item) => {
        const row = rows[item.index];
        return row === undefined ? null : <Row key={rowKey(row)} row={row} columns={columns} />;
      })}
      {below > 0 && (
        <tr aria-hidden>
          <td colSpan={columns.length} style={{ height: below }} />
        </tr>
      )}
    </tbody>
  );
}

/** `j` and `k` walk over the first link of each row, in the main table of a page only. */
function useRowKeys(body: RefObject<HTMLTableSectionElement | null>, enabled: boolean): void {
  const walk = (step: 1 | -1) => {
    const links = [
      ...(body.current?.querySelectorAll<HTMLElement>('tr > td:first-child a, tr > th:first-child a') ?? []),
    ];
    if (links.length === 0) return;
    const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
    links[Math.max(0, Math.min(links.length - 1, at + step))]?.focus();
  };
  useHotkeys(enabled ? { j: () => walk(1), k: () => walk(-1) } : {});
}

/** The filter above a table; its text is in the URL. */
export function FilterBox({ label }: { label: string }) {
  const view = useView();
  const setView = useSetView();
  const input = useRef<HTMLInputElement>(null);
  useHotkeys({ '/': () => input.current?.focus() });
  return (
    <label className="field filter">
      <Search size={14} aria-hidden />
      <input
        ref={input}
        type="search"
        aria-label={label}
        placeholder={label}
        value={view.q ?? ''}
        onChange={(event) => setView({ q: event.target.value || undefined }, 'replace')}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  );
}

/** Rows in which one of the texts contains the filter. */
export function filterRows<T>(
  rows: readonly T[],
  filter: string | undefined,
  texts: (row: T) => readonly (string | null | undefined)[],
): readonly T[] {
  if (!filter) return rows;
  const needle = filter.toLowerCase();
  return rows.filter((row) => texts(row).some((text) => text?.toLowerCase().includes(needle)));
}
