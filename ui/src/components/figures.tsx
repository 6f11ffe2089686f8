/** Small pieces that show a number, a share or an outcome. */

import { CheckCircle2, CircleHelp, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Outcome } from '../api/types';
import * as format from '../base/format';
import { m } from '../base/i18n';

/** An outcome in icon and word, never in colour alone. */
export function OutcomeMark({ outcome, short }: { outcome: Outcome; short?: boolean }) {
  if (outcome === 'failure') {
    return (
      <span className="outcome error-text">
        <TriangleAlert size={13} aria-hidden /> {m.common.failed}
      </span>
    );
  }
  if (outcome === 'success') {
    return (
      <span className="outcome dim">
        <CheckCircle2 size={13} aria-hidden />{' '}
        <span className={short ? 'visually-hidden' : undefined}>{m.common.succeeded}</span>
      </span>
    );
  }
  return (
    <span className="outcome dim">
      <CircleHelp size={13} aria-hidden /> {m.common.outcomeUnknown}
    </span>
  );
}

/** A failure rate; above zero it gets the error colour and a triangle. */
export function FailedRate({ rate }: { rate: number | null | undefined }) {
  if (rate === null || rate === undefined || rate === 0) return <span className="dim">{format.percent(rate)}</span>;
  return (
    <span className="error-text nowrap">
      <TriangleAlert size={11} aria-hidden /> {format.percent(rate)}
    </span>
  );
}

export function ImpactBar({ share }: { share: number }) {
  return (
    <span className="impact" title={format.percent(share)}>
      <span className="impact-track" aria-hidden>
        <span className="impact-fill" style={{ width: `${Math.max(1, Math.min(100, share * 100))}%` }} />
      </span>
      <span className="num">{format.percent(share)}</span>
    </span>
  );
}

export function Figure({
  label,
  value,
  detail,
  bad,
}: {
  label: string;
  value: ReactNode;
  detail?: ReactNode;
  bad?: boolean;
}) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd className={bad ? 'error-text' : undefined}>
        {value}
        {detail && <small>{detail}</small>}
      </dd>
    </div>
  );
}

export function Badge({ children, tone, title }: { children: ReactNode; tone?: 'error' | 'kind'; title?: string }) {
  return (
    <span className={`badge ${tone ?? ''}`} title={title}>
      {children}
    </span>
  );
}
