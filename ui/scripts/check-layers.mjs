/** Fails if an import goes against the layers: base, api, components, features, app. Features do not know each other. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const source = new URL('../src', import.meta.url).pathname;
const layers = ['base', 'api', 'components', 'features', 'app'];
const failures = [];

for (const name of readdirSync(source, { recursive: true }).map(String)) {
  if (!/\.tsx?$/.test(name)) continue;
  const [layer, feature] = name.split('/');
  for (const [, target] of readFileSync(join(source, name), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const [to, toFeature] = relative(source, join(source, dirname(name), target)).split('/');
    if (!layers.includes(to)) continue;
    if (layers.indexOf(to) > layers.indexOf(layer)) failures.push(`${name}: ${layer} must not import ${to}`);
    if (layer === 'features' && to === 'features' && feature !== toFeature)
      failures.push(`${name}: features must not import each other (${toFeature})`);
  }
}
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exit(1);
}
