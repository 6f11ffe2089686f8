/** The article's findings, read off the screens and compared with the log of what was made up: nothing here uses the analysis. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, launch, openPage, shot } from './browser.mjs';
import { interactions, scatter, vitals } from './budgets.mjs';
import { runner } from './runner.mjs';
import { binary, startServer, until } from './server.mjs';

const searches = 1500;
const days = 30;
// A fixed end: what is made up depends on hours and weekdays, and two in a hundred findings are chance.
const trafficEnd = '2026-11-20T18:00:00Z';
const range = 'from=2026-10-20T00:00:00.000Z&to=2026-11-21T00:00:00.000Z';
const pageService = 'elasticdocs-gpt-v2-streaming';
const slowQuestion = 'How do I mount and index a frozen node?';
const failingQuestions = [
  'How do I create an ingest pipeline?',
  'How to create an ingest pipeline with a script processor?',
];

const { test: run, end } = runner();
const server = await startServer();
const folder = mkdtempSync(join(tmpdir(), 'tokenfall-article-'));
const logFile = join(folder, 'log.jsonl');
const simulate = ['simulate', 'article', '--server', server.url, '--quiet', '--log', logFile];
const traffic = ['--seed', '5', '--days', String(days), '--searches', String(searches), '--until', trafficEnd];
execFileSync(binary, [...simulate, ...traffic]);
const log = readFileSync(logFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
rmSync(folder, { recursive: true, force: true });
await until(
  'all searches are found',
  async () => (await (await fetch(`${server.url}/api/v1/llm/spend?${range}`)).json()).total.transactions === searches,
  60_000,
);

const browser = await launch();
const main = await openPage(browser);
const { page } = main;
const test = (name, steps) => run(name, steps, page);

// What the log says.
const ofPage = log.filter((search) => search.service === pageService);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const nano = (usd) => BigInt(usd.replace('.', ''));
const dollars = (list) => Number(list.reduce((sum, search) => sum + nano(search.usd), 0n)) / 1e9;
const answered = (list) =>
  list.flatMap((search) => search.attempts).filter((attempt) => attempt.output_tokens !== null);
function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Slope and start of the line through points by least squares: nothing that is robust is needed where nothing lies off. */
function line(points) {
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const slope =
    points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { slope, start: my - slope * mx };
}

// What the screens say.
async function go(path) {
  await page.goto(server.url + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await until(`${path} is loaded`, async () => (await page.locator('.skeleton').count()) === 0);
}
const cells = (table) =>
  page
    .getByRole('table', { name: table })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
/** The figure under a label; details beside it are left out. */
const figure = (label) =>
  page
    .locator('.figure')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${label}$`) }) })
    .locator('dd')
    .evaluate((dd) =>
      [...dd.childNodes]
        .filter((node) => node.nodeName !== 'SMALL')
        .map((n) => n.textContent)
        .join(''),
    );
const seconds = (text) => {
  const [, number, unit] = /([\d.]+) (s|ms)$/.exec(text) ?? assert.fail(`not a duration: ${text}`);
  return Number(number) / (unit === 's' ? 1 : 1000);
};
const amount = (text) =>
  Number(/^\$([\d.,]+)$/.exec(text)?.[1].replaceAll(',', '') ?? assert.fail(`no amount: ${text}`));
function near(found, expected, share, what) {
  console.log(`  ${what}: ${found} on the screen, ${expected.toPrecision(6)} in the log`);
  assert.ok(Math.abs(found - expected) <= share * Math.abs(expected), `${what}: ${found}, not ${expected}`);
}

await test('where the time goes: the search engine in 125 ms, the model in 8.5 s', async () => {
  await go(`/services/${pageService}/dependencies?${range}`);
  await page.getByRole('link', { name: 'openai', exact: true }).waitFor();
  const rows = await cells('Dependencies');
  const average = (name) => seconds(rows.find(([cell]) => cell.startsWith(name)).find((cell) => / m?s$/.test(cell)));
  const engine = mean(ofPage.map((search) => search.search_us)) / 1e6;
  const model = mean(ofPage.flatMap((search) => search.attempts).map((attempt) => attempt.duration_us)) / 1e6;
  near(average('elasticsearch'), engine, 0.005, 'search engine, s');
  near(average('openai'), model, 0.005, 'model, s');
  assert.ok(Math.abs(engine - 0.125) < 0.008 && Math.abs(model - 8.5) < 0.7, `${engine} ${model}`);
  await shot(page, 'article-dependencies');
});

await test('why: 4 s for 100 tokens, however long the answer is', async () => {
  await go(`/llm?${range}&service=${pageService}`);
  const points = answered(ofPage).map((attempt) => [attempt.output_tokens, attempt.duration_us / 1e6]);
  const expected = line(points);
  near(seconds(await figure('Per 100 tokens')), expected.slope * 100, 0.01, 's for 100 tokens');
  near(seconds(await figure('To the first token')), expected.start, 0.15, 's to the first token');
  assert.equal(await figure('Calls'), points.length.toLocaleString('en'));
  assert.ok(Math.abs(expected.slope * 100 - 4) < 0.1);
  const per100 = await (await fetch(`${server.url}/api/v1/llm/tokens?${range}&service=${pageService}`)).json();
  for (const part of per100.per_100_tokens.filter((p) => p.from_tokens >= 100 && p.count > 20))
    assert.ok(part.p50_us > 3.9e6 && part.p50_us < 4.6e6, JSON.stringify(part));
  await shot(page, 'article-tokens');
});

await test('a box around slow answers is explained', async () => {
  await go(`/llm?${range}&service=${pageService}`);
  const form = page.getByRole('form', { name: 'Selected range' });
  await form.getByLabel('Tokens from').fill('300');
  await form.getByLabel('to (tokens)').fill('900');
  await form.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL(/tmin=300/);
  await page.getByText('Why are these different?').waitFor();
  await until('the box is explained', async () => (await page.locator('.skeleton').count()) === 0);
  const inside = answered(ofPage).filter((a) => a.output_tokens >= 300 && a.output_tokens < 900).length;
  await page
    .getByText(`of ${inside.toLocaleString('en')} calls`)
    .first()
    .waitFor();
  await page.getByText(slowQuestion).first().waitFor();
  await shot(page, 'article-box');
});

await test('what it costs: to the cent, 1.1 cents a search', async () => {
  await go(`/llm/cost?${range}`);
  near(amount(await figure('Total')), dollars(log), 0.0005, 'total, USD');
  const exact = await page.locator('.figure [title$=" USD"]').first().getAttribute('title');
  const nanos = log.reduce((sum, search) => sum + nano(search.usd), 0n);
  assert.equal(
    nano(`${exact.replace(' USD', '')}`.replace(/^(\d+)\.?(\d*)$/, (_, w, f) => `${w}.${f.padEnd(9, '0')}`)),
    nanos,
  );
  await shot(page, 'article-cost');
  await go(`/llm/cost?${range}&service=${pageService}`);
  const priced = ofPage.filter((search) => nano(search.usd) > 0n);
  const cents = (dollars(priced) / priced.length) * 100;
  near(Number((await figure('Per transaction')).replace(' ¢', '')), cents, 0.005, 'cents a search');
  assert.ok(Math.abs(cents - 1.1) < 0.05);
});

await test('what it costs by user, and every row leads to its traces', async () => {
  await go(`/llm/cost?${range}&by=user`);
  const rows = await cells('Where the money goes');
  const users = groupBy(log, (search) => search.user);
  assert.equal(rows.length, users.size);
  for (const [user, , cost, count] of rows) {
    const own = users.get(user);
    assert.ok(Math.abs(amount(cost) - dollars(own)) <= 0.005, `${user}: ${cost}, not ${dollars(own)}`);
    assert.equal(count, own.length.toLocaleString('en'));
  }
  await page.getByRole('link', { name: `Traces of ${rows[0][0]}` }).click();
  await page.getByRole('heading', { level: 1, name: 'Traces' }).waitFor();
  await page.getByText(`user.id: ${rows[0][0]}`).waitFor();
  const shown = Math.min(500, users.get(rows[0][0]).length);
  await until('the traces of the user are listed', async () => {
    const note = await page.locator('.page-title .dim').first().textContent();
    return note.includes(shown.toLocaleString('en')) || note.includes(String(shown));
  });
});

await test('what people ask', async () => {
  await go(`/llm/questions?${range}`);
  const asked = groupBy(log, (search) => search.question);
  const rows = await cells('Questions');
  assert.equal(rows.length, asked.size);
  for (const [question, count] of rows) assert.equal(count, asked.get(question).length.toLocaleString('en'), question);
  await shot(page, 'article-questions');
});

await test('what fails: both error groups', async () => {
  await go(`/errors?${range}`);
  const rows = await cells('Errors');
  for (const kind of ['RateLimitError', 'APIConnectionError']) {
    const count = log.flatMap((search) => search.attempts).filter((attempt) => attempt.error === kind).length;
    const found = rows.filter((row) => row[0].includes(kind));
    const sum = found.reduce(
      (all, row) => all + Number(row.find((cell) => /^[\d,]+$/.test(cell)).replaceAll(',', '')),
      0,
    );
    near(sum, count, 0, kind);
  }
});

await test('what goes along with slowness and failure', async () => {
  const values = async () =>
    page.locator('.correlation-name').evaluateAll((names) => names.map((name) => name.textContent.trim()));
  await go(`/correlations?${range}&service=${pageService}`);
  const slow = (await values()).filter((text) => text.startsWith('labels.query'));
  assert.deepEqual(slow, [`labels.query ${slowQuestion}`]);
  await shot(page, 'article-slow');
  await page.getByRole('link', { name: 'Failed' }).click();
  await page.waitForURL(/of=failures/);
  await until('failures are explained', async () => (await values()).some((text) => text.includes('pipeline')));
  const failing = (await values()).filter((text) => text.startsWith('labels.query'));
  assert.deepEqual(failing.sort(), failingQuestions.map((question) => `labels.query ${question}`).sort());
  for (const decoy of ['labels.team', 'labels.region', 'labels.experiment'])
    assert.ok(!(await values()).some((text) => text.startsWith(decoy)), decoy);
  await shot(page, 'article-failures');
});

await test('a session is a conversation', async () => {
  const sessions = groupBy(log, (search) => search.session);
  const [id, turns] = [...sessions].sort((a, b) => b[1].length - a[1].length)[0];
  await go(`/sessions/${id}?${range}`);
  assert.equal(await figure('Turns'), String(turns.length));
  near(amount(await figure('Cost')), dollars(turns), 0.01, 'cost of a session, USD');
  assert.deepEqual(
    await page.locator('.turn-question').allTextContents(),
    turns.map((turn) => turn.question),
  );
  await shot(page, 'article-session');
  await go(`/sessions?${range}`);
  await page
    .getByRole('link')
    .filter({ hasText: log.at(-1).session })
    .first()
    .waitFor();
});

await test('a stalled answer is played as it came', async () => {
  await go(`/llm/streaming?${range}`);
  await shot(page, 'article-streaming');
  const streaming = await (await fetch(`${server.url}/api/v1/llm/streaming?${range}`)).json();
  const worst = streaming.stalled[0];
  const attempt = log.flatMap((search) => search.attempts).find((a) => a.span_id === worst.span_id);
  assert.ok(attempt, 'the stalled answer was made up');
  await go(`/traces/${worst.trace_id}?span=${worst.span_id}&tab=playback`);
  await page.getByText(/stall/i).first().waitFor();
  await page.getByText('Why does it come word by word?').waitFor();
  await shot(page, 'article-playback');
});

await test('the new screens are accessible in both themes, and fit a phone', async () => {
  const session = log.at(-1).session;
  const screens = {
    llm: `/llm?${range}`,
    'llm-box': `/llm?${range}&tmin=300&tmax=900`,
    streaming: `/llm/streaming?${range}`,
    cost: `/llm/cost?${range}`,
    'cost-label': `/llm/cost?${range}&by=label:team`,
    questions: `/llm/questions?${range}`,
    sessions: `/sessions?${range}`,
    session: `/sessions/${session}?${range}`,
    correlations: `/correlations?${range}`,
    traces: `/traces?${range}&field=labels.team&value=search`,
    'cost-empty': '/llm/cost?from=2020-01-01T00:00:00.000Z&to=2020-01-02T00:00:00.000Z',
    'sessions-empty': '/sessions?from=2020-01-01T00:00:00.000Z&to=2020-01-02T00:00:00.000Z',
  };
  const found = [];
  for (const options of [
    { colorScheme: 'dark' },
    { colorScheme: 'light', locale: 'de-DE' },
    { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  ]) {
    const name = options.viewport ? 'phone' : `${options.colorScheme}-${options.locale ? 'de' : 'en'}`;
    const { page: other, problems, close } = await openPage(browser, options);
    for (const [screen, path] of Object.entries(screens)) {
      await other.goto(server.url + path);
      await other.getByRole('heading', { level: 1 }).waitFor();
      await until(`${screen} is loaded`, async () => (await other.locator('.skeleton').count()) === 0);
      if (options.viewport) {
        const wide = await other.evaluate(() =>
          Math.max(document.documentElement.scrollWidth, document.getElementById('main')?.scrollWidth ?? 0),
        );
        if (wide > 360) found.push(`${screen} is ${wide} px wide on a phone`);
      } else {
        for (const violation of await axe(other)) found.push(`${screen} (${name}): ${violation}`);
      }
      await shot(other, `article-${screen}-${name}`);
    }
    assert.deepEqual(problems, []);
    await close();
  }
  assert.deepEqual(found, [], found.join('\n'));
});

await test('scripts get the same', async () => {
  const csv = execFileSync(
    binary,
    ['query', 'spend', ...range.split('&'), 'by=question', '--format', 'csv', '--server', server.url],
    { encoding: 'utf8' },
  );
  const [head, ...rows] = csv.trim().split('\n');
  assert.match(head, /^key,/);
  assert.equal(rows.length, new Set(log.map((search) => search.question)).size);
});

await test('budgets are measured', async () => {
  await vitals(browser, server.url, {
    services: `/?${range}`,
    'model calls': `/llm?${range}`,
    spend: `/llm/cost?${range}`,
    correlations: `/correlations?${range}`,
    trace: `/traces/${log.at(-1).trace_id}`,
  });
  await interactions(browser, server.url, `/traces?${range}`, [
    'j',
    'j',
    'Enter',
    'j',
    'j',
    'Escape',
    'g',
    'm',
    'g',
    'c',
  ]);
  await scatter(browser, server.url);
});

await test('the console stayed clean', async () => assert.deepEqual(main.problems, []));

await browser.close();
await server.stop();
end();
