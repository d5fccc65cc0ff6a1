import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readStats, writeStats } from '../../daemon/cache/stats-file.ts';
import { createCounters } from '../../daemon/stats.ts';
import { tempDir } from '../helpers/files.ts';

const since = '2025-01-01T00:00:00.000Z';

test('what was counted is there again, and since when', async (t) => {
  const path = join(await tempDir(t), 'stats.json');
  const lifetime = { ...createCounters(), hits: 5, bytesServed: 2 ** 50 };
  await writeStats(path, { since, lifetime });
  t.deepEqual(await readStats(path), { since, lifetime });
  t.deepEqual(await readdir(join(path, '..')), ['stats.json']);
});

test('without a file, or with a spoilt one, counting begins now', async (t) => {
  const path = join(await tempDir(t), 'stats.json');
  for (const text of [undefined, '', '{', 'null', '[]', '{"since":5,"lifetime":{}}', '{"a":1}']) {
    if (text !== undefined) await writeFile(path, text);
    const kept = await readStats(path);
    t.deepEqual(kept.lifetime, createCounters(), text);
    t.true(Math.abs(Date.now() - Date.parse(kept.since)) < 60_000, text);
  }
});

test('a counter that is missing or nonsense counts as nought, and the others stay', async (t) => {
  const path = join(await tempDir(t), 'stats.json');
  const lifetime = { hits: 5, misses: 'many', stale: -1, passed: null, unheardOf: 3 };
  await writeFile(path, JSON.stringify({ format: 1, since, lifetime }));
  t.deepEqual(await readStats(path), { since, lifetime: { ...createCounters(), hits: 5 } });
});

test('what a crash leaves of a file being written does not count, and is written over', async (t) => {
  const path = join(await tempDir(t), 'stats.json');
  await writeStats(path, { since, lifetime: { ...createCounters(), hits: 5 } });
  await writeFile(`${path}.new`, '{"format":1,"since":"2026');
  t.is((await readStats(path)).lifetime.hits, 5);
  await writeStats(path, { since, lifetime: { ...createCounters(), hits: 6 } });
  t.is(JSON.parse(await readFile(path, 'utf8')).lifetime.hits, 6);
});
