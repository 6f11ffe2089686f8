/** The page of askdocs in a real browser: answers of a model that says its script word by word, measured by a real Tokenfall. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axe, launch, openPage, shot, watch } from './browser.mjs';
import { runner } from './runner.mjs';
import { startProgram, startServer, until } from './server.mjs';

const askdocs = process.env.ASKDOCS_BIN ?? fileURLToPath(new URL('../../target/debug/askdocs', import.meta.url));
const tokenTimeMs = 30;
const usdPerToken = { input: 0.15e-6, output: 0.6e-6 };
/** The rate limit strikes the first request that it is for, and spares the second one. */
const faultsSeed = '4';

const documents = {
  'backups.html': `<title>Backups</title><h1 id="backups">Backups</h1><p>A backup is a copy of a database from which all of it can be
    restored. Take the backup while nobody writes, or let the database write a snapshot of itself, and keep the backup on another machine.</p>`,
  'restore.md': `# Restoring a database\n\nTo restore a database, stop the server, unpack the backup into an empty data directory, and start
    the server again. Try to restore each backup once: a backup that was never restored is a hope.\n`,
  'schedule.txt': `A schedule for backups\n\nTake a backup of the database every night and keep seven of them. Delete the oldest backup only
    when the newest one could be restored on a second machine without an error.\n`,
  'partial.md': `# Partial indexes\n\nA partial index holds only the rows of a table that satisfy a predicate. Such an index is small, and a
    query that asks for those rows becomes faster, while the other rows cost nothing to write.\n`,
  'covering.html': `<title>Indexes with more columns</title><h1 id="more">Indexes with more columns</h1><p>A covering index carries further
    columns beside its key, so that a query finds all that it needs in the index and never visits the rows of the table.</p>`,
  'expression.txt': `Indexes on expressions\n\nAn index on an expression keeps the result of a function for all rows of a table, so that a
    query which uses the same function in its condition becomes faster than without the index.\n`,
};
const aboutBackups = 'How do I restore a backup of the database?';
const aboutIndexes = 'Which index makes a query faster?';
const troubled = 'Indexes with more columns';

/** A script of so many words. */
function script(words) {
  const sentence =
    'A copy counts as a backup only when somebody has read it back and compared it, word for word.'.split(' ');
  return Array.from({ length: words }, (_, i) => sentence[i % sentence.length]).join(' ');
}
const short = script(120);
const long = script(600);

const folder = mkdtempSync(join(tmpdir(), 'tokenfall-askdocs-'));
const started = [];
async function start(starting) {
  const program = await starting;
  started.push(program);
  return program;
}
/** Without the keys and choices of whoever runs the test. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([n]) => !/^(OPENAI|AZURE|ASKDOCS|ELASTIC_APM)_/.test(n)),
);

async function startModel(name, text, faults) {
  const file = join(folder, `${name}.txt`);
  writeFileSync(file, text);
  const model = ['model', 'serve', '--listen', '127.0.0.1:0', '--scripted', file, '--token-time', String(tokenTimeMs)];
  const ready = /^scripted and scripted-embedding at (\S+)$/m;
  return start(
    startProgram(askdocs, [...model, '--slots', '3', '--faults', faults, '--faults-seed', faultsSeed], ready, env),
  );
}

async function startSite(server, model, index, options) {
  const embeddings = ['--embeddings', model.url, '--embedding-model', 'scripted-embedding'];
  const chat = ['--base-url', model.url, '--model', 'scripted', '--price', '0.15/0.60', ...options];
  const serve = ['serve', '--listen', '127.0.0.1:0', '--tokenfall-url', server.url, '--index', index];
  return start(startProgram(askdocs, [...serve, ...chat, ...embeddings], /^askdocs listens on (\S+)\/$/m, env));
}

/** A question to the model itself. It gets a word as soon as one of the three slots is free. */
function knock(model) {
  const knocked = { answered: false };
  const body = JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: 'knock' }], max_tokens: 1 });
  knocked.done = fetch(`${model.url}/chat/completions`, { method: 'POST', body }).then(async (response) => {
    assert.equal(response.status, 200, await response.text());
    knocked.answered = true;
  });
  return knocked;
}

/** What the cards say at one moment. */
const cards = (page) =>
  page.locator('.card').evaluateAll((all) =>
    all.map((card) => {
      const notice = card.querySelector('.notice');
      return {
        source: card.querySelector('.source').textContent,
        text: card.querySelector('.answer').textContent,
        busy: card.querySelector('.answer').getAttribute('aria-busy') === 'true',
        notice: notice.hidden ? '' : notice.textContent,
        figures: card.querySelector('.figures').textContent,
      };
    }),
  );
const isBegun = (card, answer) => card.busy && card.text !== '' && card.text !== answer && answer.startsWith(card.text);
const isWhole = (card, answer) => !card.busy && card.text === answer;
const cardsOnce = (what, page, holds) =>
  until(what, async () => {
    const now = await cards(page);
    return now.length === 3 && holds(now) && now;
  });

async function ask(page, site, question) {
  await page.goto(site.url);
  await page.getByRole('searchbox', { name: 'Your question' }).fill(question);
  await page.keyboard.press('Enter');
}

/** The transaction of a question as Tokenfall has stored it, and the names in its trace, once `holds`. */
const stored = (server, what, question, holds) =>
  until(
    what,
    async () => {
      const query = new URLSearchParams({ field: 'labels.query', value: question, from: 'now-1h' });
      const list = await (await fetch(`${server.url}/api/v1/traces?${query}`)).json();
      for (const { trace_id, transaction_id } of list.traces) {
        const trace = `${server.url}/api/v1/traces/${trace_id}`;
        const { document } = await (await fetch(`${trace}/items/${transaction_id}`)).json();
        const skeleton = await (await fetch(`${trace}/skeleton`)).json();
        const found = { ...document, items: skeleton.name.map((name) => skeleton.names[name]) };
        if (holds(found)) return found;
      }
      return false;
    },
    20_000,
  );
const isCall = (name) => name === 'openaiChatCompletion';

const { test: run, end } = runner();
let browser;
try {
  const server = await start(startServer());
  const quick = await startModel('quick', short, 'rate-limit=0.5@covering');
  const slow = await startModel('slow', long, 'server-error=1@covering');
  const index = join(folder, 'index');
  mkdirSync(join(folder, 'documents'));
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, 'documents', name), text);
  const embeddings = ['--embeddings', quick.url, '--embedding-model', 'scripted-embedding'];
  const indexing = ['index', join(folder, 'documents'), '--index', index, ...embeddings];
  await (await startProgram(askdocs, indexing, /^(6 files: 6 read, .* 6 passages, 6 embedded now)/m, env)).stop();
  const site = await startSite(server, quick, index, []);
  const slowSite = await startSite(server, slow, index, ['--attempts', '3']);

  browser = await launch();
  const main = await openPage(browser);
  const { page, problems } = main;
  page.context().on('page', (opened) => watch(opened, problems));
  const patient = await openPage(browser);
  const slowPage = patient.page;
  const test = (name, steps, shown = page) => run(name, steps, shown);

  await test('first the page waits for a question', async () => {
    await page.goto(site.url);
    await page.getByText('6 passages · answered by scripted').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
    await shot(page, 'askdocs-start');
  });

  await test('the first words of an answer are read while the last ones are not produced yet', async () => {
    await ask(page, site, aboutBackups);
    const early = await cardsOnce('an answer has begun', page, (now) => now.some((card) => isBegun(card, short)));
    const knocked = knock(quick);
    const later = await cardsOnce('it has grown by ten words', page, (now) =>
      now.some((card, i) => isBegun(card, short) && card.text.length > early[i].text.length + 60),
    );
    assert.ok(!knocked.answered, `a slot is free, so an answer is whole, of which the page shows ${later[0].text}`);
    await cardsOnce('the answers are whole', page, (now) => now.every((card) => isWhole(card, short)));
    await knocked.done;
  });

  await test('three answers stream at the same time', async () => {
    await ask(page, site, aboutBackups);
    const before = await cardsOnce('all have begun', page, (now) => now.every((card) => isBegun(card, short)));
    await cardsOnce('all have grown', page, (now) =>
      now.every((card, i) => isBegun(card, short) && card.text.length > before[i].text.length),
    );
    await shot(page, 'askdocs-streaming');
  });

  await test(
    'stop ends what is shown and what is generated',
    async () => {
      const question = `${aboutBackups} Stop!`;
      await ask(slowPage, slowSite, question);
      const before = await cardsOnce('all have begun', slowPage, (now) => now.every((card) => isBegun(card, long)));
      const knocked = knock(slow);
      await cardsOnce('all have grown', slowPage, (now) =>
        now.every((card, i) => card.text.length > before[i].text.length),
      );
      assert.ok(!knocked.answered, 'all slots are taken');
      await slowPage.getByRole('button', { name: 'Stop' }).click();
      assert.equal(await slowPage.getByRole('status').textContent(), 'Stopped.');
      const stopped = await cards(slowPage);
      assert.ok(
        stopped.every((card) => !card.busy && card.text.length < long.length / 2),
        'stopped long before the end',
      );
      await until('the model is free', () => knocked.answered, 3_000);
      const { labels, transaction, event, items } = await stored(server, 'it is stored', question, () => true);
      assert.equal(String(labels.stopped), 'true');
      assert.equal(event?.outcome ?? transaction?.outcome, 'unknown');
      assert.equal(items.filter(isCall).length, 3);
      assert.deepEqual(await cards(slowPage), stopped, 'nothing has come since');
      await slowPage.getByRole('button', { name: 'Ask' }).waitFor();
    },
    slowPage,
  );

  await test('sources, tokens, cost and time stand with each answer', async () => {
    await ask(page, site, aboutBackups);
    await cardsOnce('the answers are whole', page, (now) =>
      now.every((card) => isWhole(card, short) && card.figures !== ''),
    );
    const now = await cards(page);
    assert.deepEqual(now.map((card) => card.source).sort(), ['Backups', 'Restoring a database', 'schedule.txt']);
    const form =
      /^scripted · ([\d,]+) \+ 120 tokens \(reported\) · ([\d.]+) ¢ · ([\d.]+) s, first token after [\d.]+ m?s · ([\d.]+) tokens\/s$/;
    let sum = 0;
    for (const { figures } of now) {
      const [, input, cents, seconds, rate] = form.exec(figures)?.map(Number) ?? assert.fail(figures);
      const expected = (input * usdPerToken.input + 120 * usdPerToken.output) * 100;
      assert.equal(cents, Number(expected.toPrecision(2)), figures);
      assert.ok(
        seconds >= (120 * tokenTimeMs) / 1000 && rate <= 1000 / tokenTimeMs,
        `faster than the model: ${figures}`,
      );
      sum += input + 120;
    }
    const total = /^All answers: ([\d.]+) s · ([\d,]+) tokens · [\d.]+ ¢\. See/.exec(
      await page.getByRole('status').textContent(),
    );
    assert.equal(Number(total?.[2]), sum, await page.getByRole('status').textContent());

    const card = page.getByRole('article', { name: /from Backups/ });
    await card.getByText('Passage').click();
    const marked = await card.locator('mark').allTextContents();
    for (const word of ['backup', 'database', 'restored']) assert.ok(marked.includes(word), `${word}: ${marked}`);
    assert.ok(!marked.includes('machine'), 'no word of the question');
    await card
      .getByText(/place 1 by words/)
      .or(card.getByText(/place \d by words, place \d by meaning/))
      .waitFor();
    await shot(page, 'askdocs-answers');
    const opening = page.waitForEvent('popup');
    await card.getByRole('link', { name: 'Backups' }).click();
    const source = await opening;
    await source.getByRole('heading', { name: 'Backups' }).waitFor();
    assert.equal(source.url(), `${site.url}/docs/backups.html#backups`);
    await source.close();
  });

  await test('the trace opens in Tokenfall, and thumbs arrive there', async () => {
    const question = `${aboutBackups} Thanks!`;
    await ask(page, site, question);
    await cardsOnce('the answers are whole', page, (now) => now.every((card) => isWhole(card, short)));
    const rate = async (answer, name) => {
      const thumb = page
        .getByRole('group', { name: `Was answer ${answer} good?` })
        .getByRole('button', { name, exact: true });
      const noted = page.waitForResponse('**/api/feedback');
      await thumb.click();
      assert.equal((await noted).status(), 204);
      assert.equal(await thumb.getAttribute('aria-pressed'), 'true');
    };
    await rate(1, 'Helpful');
    const opening = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'See this trace in Tokenfall' }).click();
    const trace = await opening;
    await trace.getByRole('heading', { level: 1, name: 'user-query' }).waitFor();
    assert.ok(trace.url().startsWith(`${server.url}/traces/`), trace.url());
    await trace.getByRole('treeitem').first().waitFor();
    const rows = await trace
      .getByRole('treeitem')
      .evaluateAll((all) => all.map((row) => row.getAttribute('aria-label')));
    const calls = rows.filter((row) => row.startsWith('openaiChatCompletion, '));
    assert.equal(calls.length, 3, rows.join('\n'));
    for (const call of calls) assert.match(call, /first token after/);
    for (const span of ['embed question', 'search'])
      assert.ok(
        rows.some((row) => row.startsWith(`${span}, `)),
        rows.join('\n'),
      );
    await shot(trace, 'askdocs-trace');
    await trace.close();
    const { labels } = await stored(server, 'the thumb arrives', question, (found) => found.labels.feedback);
    assert.equal(`${labels.feedback} ${labels.feedback_1}`, 'up up');
    await rate(3, 'Not helpful');
    await stored(server, 'a late thumb arrives', question, (found) => found.labels.feedback_3 === 'down');
  });

  await test('a rate limit is shown, and the answer comes after all', async () => {
    await ask(page, site, aboutIndexes);
    const limited = page.getByRole('article', { name: new RegExp(`from ${troubled}`) });
    await limited.getByText(/^RateLimitError: .* Trying again in [\d.]+ s …$/).waitFor();
    await cardsOnce('the answers are whole', page, (now) =>
      now.every((card) => isWhole(card, short) && card.notice === ''),
    );
  });

  await test(
    'an answer that fails says so in its card, the others go on',
    async () => {
      await ask(slowPage, slowSite, aboutIndexes);
      const failing = slowPage.getByRole('article', { name: new RegExp(`from ${troubled}`) });
      await failing.getByText(/^InternalServerError: .* Trying again in [\d.]+ s …$/).waitFor();
      await failing.getByText(/^No answer\. InternalServerError: /).waitFor();
      const others = (now) => now.filter((card) => card.source !== troubled);
      const then = others(await cards(slowPage));
      assert.ok(then.length === 2 && then.every((card) => isBegun(card, long)), JSON.stringify(then));
      const now = await cardsOnce('the others have grown', slowPage, (now) =>
        others(now).every((card, i) => isBegun(card, long) && card.text.length > then[i].text.length),
      );
      const failed = now.find((card) => card.source === troubled);
      assert.ok(!failed.busy && failed.text === '' && failed.figures === '', JSON.stringify(failed));
      await shot(slowPage, 'askdocs-failed');
      await slowPage.keyboard.press('Escape');
    },
    slowPage,
  );

  await test(
    'the keyboard asks, stops and asks again',
    async () => {
      const focus = () => slowPage.evaluate(() => document.activeElement.id);
      const about = new Promise((resolve) => {
        slowPage.route('**/api/about', resolve, { times: 1 });
      });
      await slowPage.goto(slowSite.url);
      await slowPage.keyboard.type(aboutBackups);
      await (await about).continue();
      await slowPage.getByText('6 passages').waitFor();
      assert.equal(
        await slowPage.locator('#question').inputValue(),
        aboutBackups,
        'typed before the page knew its model',
      );
      await slowPage.keyboard.press('Enter');
      await cardsOnce('all have begun', slowPage, (now) => now.every((card) => isBegun(card, long)));
      await slowPage.keyboard.press('Escape');
      await slowPage.getByText('Stopped.').waitFor();
      assert.equal(await slowPage.locator('#question').inputValue(), aboutBackups, 'the question stays');
      assert.equal(await focus(), 'question');
      await slowPage.keyboard.press('Tab');
      assert.equal(await focus(), 'ask');
      await slowPage.keyboard.press('Enter');
      await cardsOnce('all have begun again', slowPage, (now) => now.every((card) => isBegun(card, long)));
      assert.equal(await focus(), 'stop', 'the button that takes the place of the pressed one');
      await slowPage.keyboard.press('Enter');
      await slowPage.getByText('Stopped.').waitFor();
      assert.equal(await focus(), 'ask');
      await slowPage.keyboard.press('/');
      assert.equal(await focus(), 'question');
    },
    slowPage,
  );

  await test(
    'a question is an address, and Back leads to the one before',
    async () => {
      await slowPage.goto(`${slowSite.url}/?q=${encodeURIComponent(aboutIndexes)}`);
      await slowPage.getByRole('article', { name: /from Partial indexes/ }).waitFor();
      await slowPage.getByRole('searchbox').fill(aboutBackups);
      await slowPage.keyboard.press('Enter');
      await slowPage.getByRole('article', { name: /from Backups/ }).waitFor();
      await slowPage.goBack();
      await slowPage.getByRole('article', { name: /from Partial indexes/ }).waitFor();
      assert.equal(await slowPage.getByRole('searchbox').inputValue(), aboutIndexes);
      await slowPage.keyboard.press('Escape');
    },
    slowPage,
  );

  await test('the page is accessible in both themes, and fits a phone', async () => {
    const found = [];
    for (const options of [
      { colorScheme: 'dark' },
      { colorScheme: 'light' },
      { viewport: { width: 390, height: 844 } },
    ]) {
      const name = options.colorScheme ?? 'phone';
      const answered = await openPage(browser, options);
      const failed = await openPage(browser, options);
      const look = async (state, { page }) => {
        await page.locator('details').evaluateAll((all) => {
          for (const details of all) details.open = true;
        });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > page.viewportSize().width) found.push(`${state} is ${wide} px wide on a ${name}`);
        for (const violation of await axe(page)) found.push(`${state} (${name}): ${violation}`);
        await shot(page, `askdocs-${state}-${name}`);
      };
      await answered.page.goto(site.url);
      await answered.page.getByText('6 passages').waitFor();
      await look('start', answered);
      await ask(answered.page, site, aboutBackups);
      await ask(failed.page, slowSite, aboutIndexes);
      await failed.page.getByText(/^No answer\./).waitFor();
      await look('failed', failed);
      await cardsOnce('the answers are whole', answered.page, (now) => now.every((card) => isWhole(card, short)));
      await answered.page.getByRole('button', { name: 'Helpful', exact: true }).first().click();
      await look('answered', answered);
      for (const { problems, close } of [answered, failed]) {
        assert.deepEqual(problems, []);
        await close();
      }
    }
    assert.deepEqual(found, [], found.join('\n'));
  });

  await test('the console stayed clean', async () => assert.deepEqual([...problems, ...patient.problems], []));
} finally {
  await browser?.close();
  for (const program of started.reverse()) await program.stop();
  rmSync(folder, { recursive: true, force: true });
}
end();
