import type { ReactNode } from 'react';

/** A line of a list of facts; without anything to say it is left out. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return children === undefined || children === null || children === '' ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
