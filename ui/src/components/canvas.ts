/** What every canvas needs: the width of its box, and pixels as fine as the screen's. */

import { type RefObject, useLayoutEffect, useState } from 'react';

/** The width of an element, kept up to date. */
export function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const host = box.current;
    if (!host) return;
    const measure = () => setWidth(host.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(host);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

export const pixelRatio = () => Math.min(2, globalThis.devicePixelRatio || 1);

/** An empty canvas of this size in CSS pixels, or null where there is none. */
export function freshContext(canvas: HTMLCanvasElement | null, width: number, height: number) {
  const ctx = canvas?.getContext('2d');
  if (!canvas || !ctx || width === 0) return null;
  const ratio = pixelRatio();
  // Setting the size also clears; without a change clearing is cheaper than new memory.
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textBaseline = 'middle';
  return ctx;
}
