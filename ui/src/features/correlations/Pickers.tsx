/** Of which service, and of which of its transactions. */

import { servicesQuery, transactionsQuery } from '../../api/queries';
import { m } from '../../base/i18n';
import { Picker } from '../../components/picker';
import { useData, useScope, useSetView, useView } from '../../components/view';

export function Pickers() {
  const query = useData(servicesQuery(useScope()));
  const { service } = useView();
  const setView = useSetView();
  return (
    <div className="filters">
      <Picker
        label={m.correlations.service}
        all={m.correlations.allServices}
        value={service}
        choices={query.data?.services.map((s) => s.name) ?? []}
        onChange={(next) => setView({ service: next, name: undefined, type: undefined })}
      />
      {service && <NamePicker service={service} />}
    </div>
  );
}

function NamePicker({ service }: { service: string }) {
  const scope = useScope();
  const { name, type } = useView();
  const query = useData(transactionsQuery(service, type ? { ...scope, type } : scope));
  const setView = useSetView();
  return (
    <Picker
      label={m.correlations.name}
      all={m.correlations.allNames}
      value={name}
      choices={query.data?.groups.map((g) => g.name).filter(Boolean) ?? []}
      onChange={(next) => setView({ name: next })}
    />
  );
}
