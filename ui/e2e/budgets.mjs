/** Measures what a person feels, on a machine made four times slower, and prints it beside its budget. Nothing is asserted: a
 * busy machine must not fail a build. */

import { openPage } from './browser.mjs';

const slowdown = 4;

/** Runs in the page before its own scripts. */
function observe() {
  const seen = { fcp: 0, lcp: 0, cls: 0, tasks: [], interactions: [], drawn: 0 };
  globalThis.__seen = seen;
  const watch = (type, each, options = {}) =>
    new PerformanceObserver((list) => {
      list.getEntries().forEach(each);
    }).observe({ type, buffered: true, ...options });
  watch('paint', (entry) => {
    if (entry.name === 'first-contentful-paint') seen.fcp = entry.startTime;
  });
  watch('largest-contentful-paint', (entry) => {
    seen.lcp = entry.startTime;
  });
  watch('layout-shift', (entry) => {
    if (!entry.hadRecentInput) seen.cls += entry.value;
  });
  watch('longtask', (entry) => {
    seen.tasks.push({ start: entry.startTime, duration: entry.duration });
  });
  watch(
    'event',
    (entry) => {
      if (entry.interactionId) seen.interactions.push(entry.duration);
    },
    { durationThreshold: 16 },
  );
  const { fillRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillRect = function (...args) {
    seen.drawn = performance.now();
    return fillRect.apply(this, args);
  };
  const { putImageData } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.putImageData = function (...args) {
    const result = putImageData.apply(this, args);
    seen.drawn = performance.now();
    return result;
  };
}

async function slowPage(browser, options) {
  const opened = await openPage(browser, options);
  const session = await opened.page.context().newCDPSession(opened.page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  await opened.page.addInitScript(observe);
  return opened;
}

const settle = (page) => page.waitForTimeout(1500);

/** Largest contentful paint, layout shift and blocking time of each screen. */
export async function vitals(browser, base, screens) {
  console.log(`  with a processor ${slowdown} times slower (budgets: LCP 1200 ms, CLS 0.02, TBT 150 ms)`);
  for (const [name, path] of Object.entries(screens)) {
    const { page, close } = await slowPage(browser);
    await page.goto(base + path);
    await settle(page);
    const { fcp, lcp, cls, tasks } = await page.evaluate(() => globalThis.__seen);
    // Blocking time is what tasks after the first paint take beyond 50 ms each.
    const tbt = tasks
      .map(({ start, duration }) => Math.min(duration, start + duration - fcp) - 50)
      .reduce((sum, blocked) => sum + Math.max(0, blocked), 0);
    console.log(`  ${name.padEnd(20)} LCP ${lcp.toFixed(0)} ms, CLS ${cls.toFixed(3)}, TBT ${tbt.toFixed(0)} ms`);
    await close();
  }
}

/** Time from a key or click to the next paint, over a tour by keyboard. */
export async function interactions(browser, base, path, keys) {
  const { page, close } = await openPage(browser);
  await page.addInitScript(observe);
  await page.goto(base + path);
  await settle(page);
  const durations = [];
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.waitForTimeout(250);
  }
  durations.push(...(await page.evaluate(() => globalThis.__seen.interactions)));
  durations.sort((a, b) => a - b);
  const p95 = durations[Math.min(durations.length - 1, Math.floor(durations.length * 0.95))];
  console.log(
    `  ${keys.length} keys, ${durations.length} took 16 ms or more, p95 of them ${p95?.toFixed(0) ?? '—'} ms (budget 100 ms)`,
  );
  await close();
}

/** A scatter of 50,000 points: from the data's arrival until it is drawn, and how long a drag takes a frame. */
export async function scatter(browser, base) {
  const { page, close } = await openPage(browser);
  await page.addInitScript(observe);
  await page.route('**/api/v1/llm/tokens*', (route) => route.fulfill({ json: manyPoints(50_000) }));
  await page.goto(`${base}/llm`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await settle(page);
  const painted = await page.evaluate(() => {
    const fetched = performance.getEntriesByType('resource').find((entry) => entry.name.includes('/llm/tokens'));
    return globalThis.__seen.drawn - (fetched?.responseEnd ?? Number.NaN);
  });
  const frames = await dragFrames(page);
  console.log(
    `  50,000 points: arrived → drawn ${painted.toFixed(0)} ms, JSON included (budget 60 ms); a frame while dragging p50 ${frames.p50.toFixed(1)} ms, p95 ${frames.p95.toFixed(1)} ms (budget 16 ms)`,
  );
  await close();
}

async function dragFrames(page) {
  const box = await page.locator('canvas').last().boundingBox();
  await page.evaluate(() => {
    globalThis.__frames = [];
    let before = performance.now();
    const next = () => {
      const now = performance.now();
      globalThis.__frames.push(now - before);
      before = now;
      globalThis.__request = requestAnimationFrame(next);
    };
    globalThis.__request = requestAnimationFrame(next);
  });
  await page.mouse.move(box.x + 100, box.y + 40);
  await page.mouse.down();
  for (let i = 0; i < 60; i++) await page.mouse.move(box.x + 110 + i * 4, box.y + 50 + i);
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(globalThis.__request);
    return globalThis.__frames.sort((a, b) => a - b);
  });
  await page.keyboard.press('Escape');
  await page.mouse.up();
  return { p50: frames[frames.length >> 1] ?? 0, p95: frames[Math.floor(frames.length * 0.95)] ?? 0 };
}

/** An answer of `GET /api/v1/llm/tokens` with this many points around a line. */
function manyPoints(count) {
  const now = Date.now() * 1000;
  // A fixed sequence, so that each run draws the same picture.
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const tokens = Array.from({ length: count }, () => Math.round(20 + random() * 480));
  const points = {
    tokens,
    duration_us: tokens.map((n) => Math.round(600_000 + n * 40_000 + (random() - 0.5) * 2_000_000)),
    timestamp_us: tokens.map((_, i) => now - i * 1000),
    model: tokens.map((_, i) => i % 3),
    failed: tokens.map((_, i) => i % 50 === 0),
    models: ['gpt-4o', 'gpt-4o-mini', 'gpt-35-turbo'],
  };
  return {
    range: { from_us: now - 3_600_000_000, to_us: now },
    of: 'calls',
    matching: count,
    unknown: 0,
    points,
    fits: [],
    per_100_tokens: [],
    slow_for_size: [],
    sources: { reported: count, counted: 0, derived: 0, estimated: 0 },
    complete: true,
  };
}
