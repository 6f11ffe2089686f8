import { m } from '../base/i18n';
import { type Destination, Go } from './view';

export type Crumb = Destination & { label: string };

/** The way back up; the page itself is the heading below. */
export function Crumbs({ trail }: { trail: readonly Crumb[] }) {
  return (
    <nav className="crumbs" aria-label={m.app.breadcrumbs}>
      <ol>
        {trail.map(({ label, ...destination }, i) => (
          <li key={i}>
            <Go {...(destination as Destination)}>{label}</Go>
          </li>
        ))}
      </ol>
    </nav>
  );
}
