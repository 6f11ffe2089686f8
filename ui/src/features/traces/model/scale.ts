/** The part of the trace that is on screen, and where an instant falls in it. Times are microseconds from the trace's start. */

export interface Zoom {
  readonly t0: number;
  readonly t1: number;
}

/** The least that can be zoomed to. */
const spanMinUs = 10;

export function clampZoom(zoom: Zoom, totalUs: number): Zoom {
  const width = Math.min(Math.max(zoom.t1 - zoom.t0, Math.min(spanMinUs, totalUs)), totalUs);
  const t0 = Math.min(Math.max(0, zoom.t0), totalUs - width);
  return { t0, t1: t0 + width };
}

/** Scales around an instant that stays where it is: factor < 1 zooms in. */
export function zoomAround(zoom: Zoom, at: number, factor: number, totalUs: number): Zoom {
  return clampZoom({ t0: at - (at - zoom.t0) * factor, t1: at + (zoom.t1 - at) * factor }, totalUs);
}

export function pan(zoom: Zoom, byUs: number, totalUs: number): Zoom {
  return clampZoom({ t0: zoom.t0 + byUs, t1: zoom.t1 + byUs }, totalUs);
}

export function isWhole(zoom: Zoom, totalUs: number): boolean {
  return zoom.t0 <= 0 && zoom.t1 >= totalUs;
}

export function toX(zoom: Zoom, us: number, width: number): number {
  return ((us - zoom.t0) / (zoom.t1 - zoom.t0)) * width;
}

export function toTime(zoom: Zoom, x: number, width: number): number {
  return zoom.t0 + (x / width) * (zoom.t1 - zoom.t0);
}

/** Round instants inside the zoom, at least `gapPx` apart. */
export function ticks(zoom: Zoom, width: number, gapPx = 110): number[] {
  const span = zoom.t1 - zoom.t0;
  if (span <= 0 || width <= 0) return [];
  const rough = (span / width) * gapPx;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? power * 10;
  const out: number[] = [];
  for (let k = Math.ceil(zoom.t0 / step); k * step <= zoom.t1 && out.length < 100; k++) out.push(k * step);
  return out;
}
