import test from 'ava';
import { connection } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, {
    files: { '*': ({ target }) => ({ body: bodyOf(target, sizeOf(target)) }) },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  return { origin, daemon };
});

/** 1 to 30,000 bytes, by the name alone. */
function sizeOf(target: string): number {
  return (bodyOf(`size of ${target}`, 4).readUInt32LE() % 30_000) + 1;
}

function namesOf(seed: string, count: number): string[] {
  const bytes = bodyOf(seed, count * 4);
  return Array.from({ length: count }, (_, at) => {
    const folder = (bytes[at * 4] ?? 0).toString(16).padStart(2, '0');
    return `/distfiles/${folder}/${seed}-${at}.tar.gz`;
  });
}

test('hundreds of small files at once, each asked for twice, are fetched once and whole', async (t) => {
  const { origin, daemon } = scene();
  const names = namesOf('many', 300);
  const queue = [...names, ...names];
  let wrong = 0;
  const fetchAll = async () => {
    const line = connection({ port: daemon.port, t });
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      const { status, body } = await line.send({ target });
      if (status !== 200 || !body.equals(bodyOf(target, sizeOf(target)))) wrong += 1;
    }
  };
  await Promise.all(Array.from({ length: 40 }, fetchAll));
  t.is(wrong, 0);
  for (const target of names) t.is(origin.count(target), 1, target);
});

test('a file asked for again and again while it is being stored is always whole', async (t) => {
  const { origin, daemon } = scene();
  const names = namesOf('again', 60);
  await Promise.all(
    [0, 1, 2, 3].map(async (part) => {
      const line = connection({ port: daemon.port, t });
      for (const target of names.filter((_, at) => at % 4 === part)) {
        for (let round = 0; round < 8; round += 1) {
          const { status, body } = await line.send({ target });
          t.is(status, 200, String(body));
          t.true(body.equals(bodyOf(target, sizeOf(target))));
        }
      }
    }),
  );
  for (const target of names) t.is(origin.count(target), 1, target);
});

test('one file after another is never told to come later, however slow the disk is', async (t) => {
  const { origin } = scene();
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_FILLS: '1' } });
  const line = connection({ port: daemon.port, t });
  for (const target of namesOf('after-another', 40)) {
    const { status, body } = await line.send({ target });
    t.is(status, 200, String(body).slice(0, 200));
  }
});
