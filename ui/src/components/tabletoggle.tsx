import { LineChart, Table2 } from 'lucide-react';
import { m } from '../base/i18n';
import { IconButton } from './iconbutton';

/** Shows the figures of a chart as a table, and back. */
export function TableToggle({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const label = on ? m.common.showChart : m.common.showTable;
  return (
    <IconButton kind="quiet" label={label} pressed={on} onClick={() => onChange(!on)}>
      {on ? <LineChart size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
    </IconButton>
  );
}
