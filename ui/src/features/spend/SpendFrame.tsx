/** Heading, tabs and filters of the screens about money. */

import type { ReactNode } from 'react';
import { texts } from '../../base/i18n/spend';
import { FilterChips } from '../../components/chips';
import { PageHead } from '../../components/panel';
import { ServicePicker } from '../../components/servicepicker';
import { Go, useView } from '../../components/view';

export function SpendFrame({
  tab,
  lead,
  children,
  actions,
}: {
  tab: 'cost' | 'questions';
  lead: string;
  children: ReactNode;
  actions?: ReactNode;
}) {
  const t = texts();
  const { service } = useView();
  const tabs = [
    { key: 'cost', to: '/llm/cost', label: t.costTab },
    { key: 'questions', to: '/llm/questions', label: t.questionsTab },
  ] as const;
  return (
    <div className="page">
      <PageHead title={t.title} note={lead}>
        {actions}
      </PageHead>
      <nav className="page-tabs" aria-label={t.tabs}>
        {tabs.map(({ key, to, label }) => (
          <Go
            key={key}
            to={to}
            search={service ? { service } : {}}
            className={key === tab ? 'page-tab here' : 'page-tab'}
            {...(key === tab ? { 'aria-current': 'page' as const } : {})}
          >
            {label}
          </Go>
        ))}
      </nav>
      <div className="filters">
        <ServicePicker />
      </div>
      <FilterChips />
      {children}
    </div>
  );
}
