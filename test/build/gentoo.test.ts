import { readFileSync } from 'node:fs';
import { access, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startDaemon, tempDir } from '../helpers/daemon.ts';
import { root, run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { copyCheckout, nodeAlone, pack, succeeded, unpack } from './package.ts';

const overlay = join(root, 'contrib/gentoo');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const ebuild = join(overlay, `net-proxy/package-cache/package-cache-${version}.ebuild`);

test('the ebuild lays out the tarball, and what it laid out runs', async (t) => {
  if (!needs(t, 'bash')) return;
  const S = await unpack(t, await pack(await copyCheckout(t)));
  const D = await tempDir(t);
  const env = { EBUILD: ebuild, S, D, PV: version, USE: process.arch };
  const script = join(import.meta.dirname, 'portage.sh');
  const said = succeeded(await run('bash', { args: [script], env }));
  t.regex(said, new RegExp(`package-cache-${version}\\.tgz`));
  t.regex(said, /^root:package-cache \/etc\/conf\.d\/package-cache$/m);
  const files = [
    'etc/conf.d/package-cache',
    'etc/init.d/package-cache',
    'etc/logrotate.d/package-cache',
    'usr/lib/systemd/system/package-cache.service',
    'usr/lib/systemd/system/package-cache@.service',
    'usr/lib/systemd/system/package-cache.socket',
    'usr/lib/tmpfiles.d/package-cache.conf',
    'usr/share/man/man5/package-cache.conf.5',
    'usr/share/man/man8/package-cache-ctl.8',
    'usr/share/zsh/site-functions/_package-cache-ctl',
    'usr/share/package-cache/nftables/package-cache-dnat',
    'usr/share/package-cache/avahi/package-cache.service',
    'usr/share/package-cache/clients/gentoo-make.conf',
  ];
  for (const file of files) await t.notThrowsAsync(access(join(D, file)), file);
  t.is((await stat(join(D, 'etc/conf.d/package-cache'))).mode & 0o777, 0o640);
  const PATH = await nodeAlone(t);
  const printed = await run(join(D, 'usr/bin/package-cache'), {
    args: ['--version'],
    env: { PATH },
  });
  t.is(succeeded(printed), `package-cache ${version}\n`);
  await startDaemon(t, { program: join(D, 'usr/bin/package-cache'), env: { PATH } });
  // The one binary is that of this machine, and the lock just proved that it loads.
  const native = await readdir(join(D, 'usr/lib64/package-cache/build/native'), {
    recursive: true,
  });
  t.is(native.filter((file) => file.endsWith('koffi.node')).length, 1);
});

test('the accounts are those that the services run as', async (t) => {
  for (const category of ['acct-user', 'acct-group']) {
    const text = await readFile(
      join(overlay, category, 'package-cache/package-cache-0.ebuild'),
      'utf8',
    );
    t.regex(text, new RegExp(`^inherit ${category}$`, 'm'));
  }
  t.regex(
    await readFile(join(root, 'contrib/openrc/package-cache'), 'utf8'),
    /PC_USER:-package-cache/,
  );
});
