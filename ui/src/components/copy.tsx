import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { m } from '../base/i18n';

/** Puts a text on the clipboard, also on pages that are not served over TLS. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text, label, iconOnly }: { text: string; label?: string; iconOnly?: boolean }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const name = done ? m.common.copied : (label ?? m.common.copy);
  return (
    <button
      type="button"
      className={iconOnly ? 'button icon quiet' : 'button'}
      aria-label={iconOnly ? name : undefined}
      title={iconOnly ? name : undefined}
      onClick={() => void copyText(text).then(() => setDone(true))}
    >
      {done ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      {!iconOnly && name}
    </button>
  );
}
