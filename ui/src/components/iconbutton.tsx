/** A button that is a picture; its name is what screen readers say and the tip shows. */

import type { ReactNode } from 'react';

interface Props {
  label: string;
  /** Tip, where it says more than the name. */
  title?: string;
  kind?: 'quiet' | 'primary';
  disabled?: boolean;
  /** For one that stays pressed. */
  pressed?: boolean;
  onClick: () => void;
  children: ReactNode;
}

export function IconButton({ label, title, kind, disabled, pressed, onClick, children }: Props) {
  return (
    <button
      type="button"
      className={kind ? `button icon ${kind}` : 'button icon'}
      aria-label={label}
      title={title ?? label}
      disabled={disabled}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
