/** A list that is empty: filters hide everything, or nothing is in the range, or nothing was ever stored. */

import { m } from '../base/i18n';
import { NothingHere } from './empty';
import { Empty } from './states';
import { useSetView, useView } from './view';

export function NothingMatches({ title, text }: { title?: string; text?: string }) {
  const { service, model, name, field, value } = useView();
  const setView = useSetView();
  const filters = [service, model, name, field && `${field}: ${value}`].filter((f) => f !== undefined);
  if (filters.length === 0) return <NothingHere {...(title ? { title } : {})} {...(text ? { text } : {})} />;
  return (
    <Empty title={m.states.filterTitle} text={m.llm.emptyFilter(filters.map((f) => `“${f}”`).join(', '))}>
      <button
        type="button"
        className="button"
        onClick={() =>
          setView({ service: undefined, model: undefined, name: undefined, field: undefined, value: undefined })
        }
      >
        {m.llm.removeFilters}
      </button>
    </Empty>
  );
}
