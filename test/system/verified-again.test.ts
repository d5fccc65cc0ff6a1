import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Daemon } from '../helpers/daemon.ts';
import { bodyOf } from '../helpers/origin.ts';
import { distLine, plantManifest } from '../helpers/repository.ts';
import { name, openScene, path, right, size } from './verified.ts';

const other = bodyOf('other', size);
const stored = (daemon: Daemon) => readFile(join(daemon.cacheDir, path));

test('an entry whose name loses the digest it had is hashed again, and fetched anew', async (t) => {
  const { daemon, origins, repository } = await openScene(t, { copies: [right] });
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
  const lines = daemon.log().length;
  origins[0]?.serve(path, other);
  plantManifest(join(repository, 'app-misc/big'), [distLine(name, other)]);
  daemon.signal('SIGHUP');
  await daemon.logged(/wrong "distfiles\/\S+big-1\.0\.tar\.xz"/, lines);
  await daemon.logged(/stored "distfiles/, lines);
  t.true((await stored(daemon)).equals(other));
  t.true((await daemon.get(path)).body.equals(other));
});

test('a file that no Manifest knew is hashed when one tells of it', async (t) => {
  const { daemon, origins, repository } = await openScene(t, { copies: [other], lines: [] });
  t.true((await daemon.get(path)).body.equals(other));
  await daemon.logged(/stored "distfiles/);
  const lines = daemon.log().length;
  origins[0]?.serve(path, right);
  plantManifest(join(repository, 'app-misc/big'), [distLine(name, right)]);
  daemon.signal('SIGHUP');
  await daemon.logged(/wrong "distfiles\/\S+big-1\.0\.tar\.xz"/, lines);
  await daemon.logged(/stored "distfiles/, lines);
  t.true((await stored(daemon)).equals(right));
});

test('an entry that still has one of its digests stays where it is', async (t) => {
  const { daemon, origins, repository } = await openScene(t, { copies: [right] });
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
  const lines = daemon.log().length;
  const fresh = [distLine(name, right), distLine(name, other), distLine('more-1.tar.gz', '')];
  plantManifest(join(repository, 'app-misc/big'), fresh);
  daemon.signal('SIGHUP');
  await daemon.logged(/Manifests: 3 digests/, lines);
  t.is((await daemon.get(path)).header('cache-status'), 'package-cache; hit');
  t.is(origins[0]?.count(path), 1);
});
