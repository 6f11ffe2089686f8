/** Heading, tabs and filters of the screens about model calls. */

import type { ReactNode } from 'react';
import { m } from '../../base/i18n';
import { PageHead } from '../../components/panel';
import { Picker } from '../../components/picker';
import { ServicePicker } from '../../components/servicepicker';
import { Go, useSetView, useView } from '../../components/view';

const tabs = [
  { key: 'tokens', to: '/llm', label: () => m.llm.tokensTab },
  { key: 'streaming', to: '/llm/streaming', label: () => m.llm.streamingTab },
] as const;

interface Props {
  tab: (typeof tabs)[number]['key'];
  lead: string;
  /** Models to choose from. */
  models: readonly string[];
  children: ReactNode;
  filters?: ReactNode;
}

export function LlmFrame({ tab, lead, models, children, filters }: Props) {
  const { service, model } = useView();
  return (
    <div className="page">
      <PageHead title={m.llm.title} note={lead} />
      <nav className="page-tabs" aria-label={m.llm.tabs}>
        {tabs.map(({ key, to, label }) => (
          <Go
            key={key}
            to={to}
            search={{ ...(service ? { service } : {}), ...(model ? { model } : {}) }}
            className={key === tab ? 'page-tab here' : 'page-tab'}
            {...(key === tab ? { 'aria-current': 'page' as const } : {})}
          >
            {label()}
          </Go>
        ))}
      </nav>
      <div className="filters">
        <ServicePicker />
        <ModelPicker models={models} />
        {filters}
      </div>
      {children}
    </div>
  );
}

function ModelPicker({ models }: { models: readonly string[] }) {
  const { model } = useView();
  const setView = useSetView();
  return (
    <Picker
      label={m.llm.model}
      all={m.llm.allModels}
      value={model}
      choices={models}
      onChange={(next) => setView({ model: next })}
    />
  );
}
