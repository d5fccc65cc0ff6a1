// npm run build [-- --this-machine]: lays out in build/ what runs with Node alone.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundlePrograms } from './bundle.ts';
import { layNative } from './native.ts';
import { thirdParties } from './third-party.ts';

const root = join(import.meta.dirname, '../..');
const build = join(root, 'build');

const { values } = parseArgs({ options: { 'this-machine': { type: 'boolean', default: false } } });
// Below a umask of 077 nobody but the builder could run it, and no two builders had equal files.
process.umask(0o022);
await rm(build, { recursive: true, force: true });
await mkdir(build);
const bundled = await bundlePrograms({ root, build });
for (const program of ['package-cache.js', 'package-cache-ctl.js']) {
  await chmod(join(build, program), 0o755);
}
await layNative({ root, build, onlyThisMachine: values['this-machine'] });
await writeFile(join(build, 'THIRD-PARTY.txt'), await thirdParties(root, [...bundled, 'koffi']));
