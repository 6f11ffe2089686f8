import { LineChart, Table2 } from 'lucide-react';
import { m } from '../base/i18n';

/** Shows the figures of a chart as a table, and back. */
export function TableToggle({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const label = on ? m.common.showChart : m.common.showTable;
  return (
    <button
      type="button"
      className="button icon quiet"
      aria-pressed={on}
      aria-label={label}
      title={label}
      onClick={() => onChange(!on)}
    >
      {on ? <LineChart size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
    </button>
  );
}
