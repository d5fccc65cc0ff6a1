import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { curl } from './fetchers.ts';
import { startSnippet } from './mirror.ts';

// Debian has no apk; what its lines come to is asked for with curl.
test.serial('each line of /etc/apk/repositories leads to its index and packages', async (t) => {
  if (!needs(t, 'curl')) return;
  const { origin, snippet, fetch } = await startSnippet(t, { snippet: 'alpine-repositories' });
  const lines = snippet.split('\n').filter((line) => /^[^#]/.test(line));
  t.is(lines.length, 2);
  for (const line of lines) {
    const place = new URL(line).pathname.replace('/alpine/', '');
    for (const name of ['APKINDEX.tar.gz', 'tiny-1.0-r0.apk']) {
      const path = `${place}/x86_64/${name}`;
      origin.serve(`alpine/${path}`, bodyOf(path, 5000));
      const { bytes, stderr } = await fetch(curl, `/x86_64/${name}`, { from: line });
      t.true(bytes?.equals(bodyOf(path, 5000)), stderr);
    }
  }
});
