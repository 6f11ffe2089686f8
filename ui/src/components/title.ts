import { useEffect } from 'react';
import { m } from '../base/i18n';

/** `GET /search – rag-api – Tokenfall` in the browser's tab. */
export function useTitle(...parts: readonly string[]): void {
  const title = [...parts.filter(Boolean), m.app.name].join(' – ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
