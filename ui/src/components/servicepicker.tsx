/** One service, or all of them. */

import { servicesQuery } from '../api/queries';
import { m } from '../base/i18n';
import { Picker } from './picker';
import { useData, useScope, useSetView, useView } from './view';

export function ServicePicker() {
  const query = useData(servicesQuery(useScope()));
  const { service } = useView();
  const setView = useSetView();
  const names = query.data?.services.map((s) => s.name) ?? [];
  return (
    <Picker
      label={m.llm.service}
      all={m.llm.allServices}
      value={service}
      choices={names}
      onChange={(next) => setView({ service: next, model: undefined })}
    />
  );
}
