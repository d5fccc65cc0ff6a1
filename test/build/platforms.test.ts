import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir, writeTree } from '../helpers/files.ts';
import { startOrigin } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { copyCheckout, npm, succeeded } from './package.ts';

const name = '@koromix/koffi-linux-pdp11';
const place = `build/native/${name}/linux_pdp11/koffi.node`;

/** A registry that has the binary of one more machine, and a checkout whose lock file names it. */
async function otherMachine(t: ExecutionContext, digest?: string) {
  const directory = await tempDir(t);
  await writeTree(directory, {
    'package/package.json': JSON.stringify({ name, version: '1.2.3' }),
    'package/linux_pdp11/koffi.node': 'native',
  });
  const file = join(directory, 'other.tgz');
  succeeded(await run('tar', { args: ['-czf', file, '-C', directory, 'package'] }));
  const tarball = await readFile(file);
  const found = createHash('sha512').update(tarball).digest('base64');
  const origin = await startOrigin(t);
  const dist = { tarball: `${origin.url}other.tgz`, integrity: `sha512-${found}` };
  const packument = { name, versions: { '1.2.3': { name, version: '1.2.3', dist } } };
  origin.serve(`/${name}`, JSON.stringify(packument));
  origin.serve('/other.tgz', tarball);
  const checkout = await copyCheckout(t);
  const lock = join(checkout, 'package-lock.json');
  const { packages, ...rest } = JSON.parse(await readFile(lock, 'utf8'));
  const others = Object.entries(packages).filter(([path]) => !path.includes('/koffi-linux-'));
  const integrity = `sha512-${digest ?? found}`;
  const pinned = { [`node_modules/${name}`]: { version: '1.2.3', integrity } };
  const all = { ...rest, packages: { ...Object.fromEntries(others), ...pinned } };
  await writeFile(lock, JSON.stringify(all));
  const env = { npm_config_offline: 'false', npm_config_registry: origin.url };
  return { checkout, env };
}

test('the binary of another machine is what the lock file says, from the registry', async (t) => {
  const { checkout, env } = await otherMachine(t);
  succeeded(await npm(checkout, ['run', 'build'], env));
  t.is(await readFile(join(checkout, place), 'utf8'), 'native');
});

test('a binary with another digest ends the build', async (t) => {
  const { checkout, env } = await otherMachine(t, 'AAAA');
  const { code, stderr } = await npm(checkout, ['run', 'build'], env);
  t.not(code, 0);
  t.regex(stderr, /Cannot use "@koromix\/koffi-linux-pdp11@1\.2\.3": .* wants sha512-AAAA/);
});

test('a registry that cannot be reached ends the build, which names the way out', async (t) => {
  const { checkout } = await otherMachine(t);
  const { code, stderr } = await npm(checkout, ['run', 'build']);
  t.not(code, 0);
  t.regex(stderr, /Cannot fetch "@koromix\/koffi-linux-pdp11@1\.2\.3": .*--this-machine/);
});
