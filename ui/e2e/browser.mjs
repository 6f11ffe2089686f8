/** A browser that fails a test on errors in its console, and checks pages for accessibility. */

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const out = fileURLToPath(new URL('./out/', import.meta.url));
mkdirSync(out, { recursive: true });
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--font-render-hinting=none',
      '--force-color-profile=srgb',
    ],
  });
}

/** Collects console errors and broken scripts of a page, such as one that another page has opened. */
export function watch(page, problems) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      problems.push(`${message.type()}: ${message.text()} (${page.url()})`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message} (${page.url()})`));
}

/** A page whose console errors, broken scripts and policy violations are collected in `problems`. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  watch(page, problems);
  page.on('request', (request) => {
    const host = new URL(request.url()).host;
    if (host !== '' && host !== new URL(page.url() === 'about:blank' ? request.url() : page.url()).host)
      problems.push(`asked a third party: ${request.url()}`);
  });
  return { page, problems, close: () => context.close() };
}

export async function shot(page, name) {
  await page.screenshot({ path: `${out}${name}.png` });
}

/** What axe finds wrong on the page, one line for each. */
export async function axe(page) {
  // Evaluated through the debugging protocol, which the page's policy does not touch.
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const result = await globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
    return result.violations.map((v) => ({
      id: v.id,
      help: v.help,
      nodes: v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 200)} — ${n.any[0]?.message ?? n.failureSummary ?? ''}`),
    }));
  });
  return violations.map((v) => `${v.id}: ${v.help}\n      ${v.nodes.join('\n      ')}`);
}
