import { environmentsQuery } from '../api/queries';
import { m } from '../base/i18n';
import { useData, useScope, useSetView } from '../components/view';

/** How the API names events without an environment. */
const undefinedEnvironment = 'ENVIRONMENT_NOT_DEFINED';

export function EnvironmentPicker() {
  const scope = useScope();
  const setView = useSetView();
  const { data } = useData(environmentsQuery(scope));
  const names = data?.environments ?? [];
  const env = scope.env ?? '';
  // A chosen environment stays in the list, also when the range holds none of its events.
  const known = env === '' || env === undefinedEnvironment || names.includes(env) ? names : [env, ...names];
  return (
    <label className="select environment">
      <span className="visually-hidden">{m.header.environment}</span>
      <select value={env} onChange={(event) => setView({ env: event.target.value || undefined })}>
        <option value="">{m.header.allEnvironments}</option>
        {known.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
        {(data?.has_undefined || env === undefinedEnvironment) && (
          <option value={undefinedEnvironment}>{m.header.noEnvironment}</option>
        )}
      </select>
    </label>
  );
}
