/** Runs tests one after another, prints how they went, and ends the process so that the caller sees it. */

import { shot } from './browser.mjs';

export function runner() {
  const only = process.argv[2];
  const failures = [];
  let passed = 0;
  return {
    /** Runs one test; of a page, keeps a picture if it fails. */
    async test(name, run, page) {
      if (only && !name.includes(only) && !name.startsWith('first')) return;
      const start = Date.now();
      try {
        await run();
        passed += 1;
        console.log(`✓ ${name} (${Date.now() - start} ms)`);
      } catch (error) {
        failures.push(name);
        console.error(`✗ ${name}\n${error.stack ?? error}`);
        if (page) await shot(page, `failed-${name.replaceAll(/\W+/g, '-')}`);
      }
    },
    end() {
      if (failures.length > 0) console.error(`\nfailed: ${failures.join(', ')}`);
      console.log(`${passed} passed, ${failures.length} failed`);
      process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
    },
  };
}
