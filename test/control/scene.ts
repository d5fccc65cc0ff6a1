import type { ExecutionContext } from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { plant } from '../helpers/entries.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

/** What every source has under every name but those with "missing" in them. */
export const body = bodyOf('package', 200_001);

/** A daemon with two sources, a repository and a cache that is not empty. */
export async function openScene(t: ExecutionContext) {
  const origin = await startOrigin(t);
  const spare = await startOrigin(t);
  origin.serve('*', (request) => {
    const name = request.target.split('?')[0] ?? '';
    return /missing/.test(name) ? { status: 404 } : { body };
  });
  const conf = { SOURCES_debian: spare.url, MAX_SIZE: '50G', MUTABLE: 'extra/*' };
  const daemon = await startDaemon(t, { sources: [origin.url, spare.url], conf });
  await plant(daemon.cacheDir, {
    'old/a': { size: 1000, days: 100 },
    'old/b': { size: 2000, days: 200 },
    'old/c[1].tar.gz': { size: 3000, days: 300 },
    'purge/by/glob/x.tar.xz': { size: 10, days: 1 },
    'purge/by/glob/y.tar.xz': { size: 20, days: 1 },
    'purge/one[1].tar.xz': { size: 30, days: 1 },
    'debian/dists/sid/InRelease': { size: 40, days: 1 },
    'list/big.tar.xz': { size: 5000, days: 1 },
    'list/small.tar.xz': { size: 50, days: 3 },
    'list/index': { size: 500, days: 2 },
  });
  return { origin, spare, daemon };
}
