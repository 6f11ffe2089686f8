/** Fails if src/api/schema.d.ts is not what openapi.json says. */

import { readFileSync } from 'node:fs';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';

const ui = new URL('../', import.meta.url);
const wanted =
  COMMENT_HEADER + astToString(await openapiTS(new URL('openapi.json', ui), { emptyObjectsUnknown: true }));
const found = readFileSync(new URL('src/api/schema.d.ts', ui), 'utf8');
if (wanted.trim() !== found.trim()) {
  console.error('src/api/schema.d.ts is out of date with openapi.json: run `npm run api`');
  process.exit(1);
}
