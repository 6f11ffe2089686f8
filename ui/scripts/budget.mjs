/** Fails if the first load or any other script is larger than the budget. Sizes are gzip, as browsers load them. */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const firstLoadKb = 180;
const chunkKb = 60;
const cssKb = 15;
const allKb = 500;

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('../node_modules/.tokenfall/manifest.json', dist), 'utf8'));
const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length / 1024;

const first = new Set();
const visit = (key) => {
  if (first.has(key)) return;
  first.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
visit('index.html');

const failures = [];
const check = (what, kb, limit) => {
  const line = `${what.padEnd(44)} ${kb.toFixed(1).padStart(7)} KB  of ${limit}`;
  console.log(line);
  if (kb > limit) failures.push(line);
};

const scripts = [...new Set(Object.values(manifest).map((entry) => entry.file))].filter((file) => file.endsWith('.js'));
const styles = [...new Set(Object.values(manifest).flatMap((entry) => entry.css ?? []))];
const firstFiles = new Set([...first].map((key) => manifest[key].file));
check(
  'first load, scripts',
  [...firstFiles].reduce((sum, file) => sum + size(file), 0),
  firstLoadKb,
);
check(
  'styles',
  styles.reduce((sum, file) => sum + size(file), 0),
  cssKb,
);
for (const file of scripts) if (!firstFiles.has(file)) check(file, size(file), chunkKb);
check(
  'all scripts',
  scripts.reduce((sum, file) => sum + size(file), 0),
  allKb,
);

if (failures.length > 0) {
  console.error(`\nover budget:\n${failures.join('\n')}`);
  process.exit(1);
}
