/** Writes .gz and .br twins of everything in dist that shrinks, so that the server never compresses. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist', import.meta.url).pathname;
const text = /\.(?:js|css|html|svg|json)$/;

// The list of chunks is for the budget; the server need not carry it.
mkdirSync(join(dist, '../node_modules/.tokenfall'), { recursive: true });
renameSync(join(dist, '.vite/manifest.json'), join(dist, '../node_modules/.tokenfall/manifest.json'));
rmSync(join(dist, '.vite'), { recursive: true });

for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, String(name));
  if (!text.test(file) || statSync(file).isDirectory()) continue;
  const body = readFileSync(file);
  const twins = [
    ['.gz', gzipSync(body, { level: 9 })],
    [
      '.br',
      brotliCompressSync(body, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
      }),
    ],
  ];
  for (const [ending, packed] of twins) if (packed.length < body.length) writeFileSync(file + ending, packed);
}
