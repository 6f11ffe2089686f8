import { type ReactNode, useId } from 'react';

/** A titled part of a page. */
export function Panel({
  title,
  note,
  actions,
  children,
  className,
}: {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  const id = useId();
  return (
    <section className={`panel ${className ?? ''}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {note && <span className="dim small">{note}</span>}
        {actions && <div className="panel-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** The head of a page: where it is, what it is about, and what can be done with it. */
export function PageHead({
  title,
  crumbs,
  children,
  note,
}: {
  title: ReactNode;
  crumbs?: ReactNode;
  children?: ReactNode;
  note?: ReactNode;
}) {
  return (
    <header className="page-head">
      {crumbs}
      <div className="page-title">
        <h1>{title}</h1>
        {note && <span className="dim">{note}</span>}
        {children && <div className="page-actions">{children}</div>}
      </div>
    </header>
  );
}
