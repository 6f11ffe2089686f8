/** What a screen is limited to, each with a way to remove it. */

import { X } from 'lucide-react';
import { m } from '../base/i18n';
import { useSetView, useView } from './view';

export function FilterChips() {
  const { field, value, name, model } = useView();
  const setView = useSetView();
  const chips = [
    ...(name ? [{ key: 'name', text: name, remove: () => setView({ name: undefined }) }] : []),
    ...(model ? [{ key: 'model', text: model, remove: () => setView({ model: undefined }) }] : []),
    ...(field && value
      ? [{ key: 'field', text: `${field}: ${value}`, remove: () => setView({ field: undefined, value: undefined }) }]
      : []),
  ];
  if (chips.length === 0) return null;
  return (
    <p className="chips">
      <span className="dim">{m.correlations.filtered}</span>
      {chips.map((chip) => (
        <button
          key={chip.key}
          type="button"
          className="button chip"
          title={m.correlations.removeFilter}
          onClick={chip.remove}
        >
          {chip.text} <X size={13} aria-hidden />
          <span className="visually-hidden">{m.correlations.removeFilter}</span>
        </button>
      ))}
    </p>
  );
}
