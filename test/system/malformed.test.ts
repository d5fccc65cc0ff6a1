import { readdir } from 'node:fs/promises';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { badFields, overlongHeads } from './malformed/fields.ts';
import { badChunks, badFraming, bigBodies } from './malformed/framing.ts';
import { type Hostile, type Manner, outcomeOf, stored } from './malformed/hostile.ts';
import { badHosts } from './malformed/hosts.ts';
import { methods, requestLines } from './malformed/request-lines.ts';
import {
  badSequels,
  halfClosed,
  lastButGood,
  oddButGood,
  otherProtocols,
} from './malformed/sequences.ts';
import { badTargets, impossibleTargets } from './malformed/targets.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get(stored);
  return { origin, daemon };
});

const tables: readonly (readonly [promise: string, rows: readonly Hostile[], manner: Manner])[] = [
  ['in a request line', requestLines, {}],
  ['as a method', methods, {}],
  ['as a target', impossibleTargets, {}],
  ['as a target that is read', badTargets, { stays: true }],
  ['as a Host', badHosts, {}],
  ['among the fields', badFields, {}],
  ['in a head without measure', overlongHeads, {}],
  ['as framing', badFraming, {}],
  ['among chunks', badChunks, {}],
  ['as a body without measure', bigBodies, {}],
  ['one behind the other', badSequels, {}],
  ['that is odd, not wrong', oddButGood, { stays: true }],
  ['for the last time', lastButGood, {}],
  ['and no more', halfClosed, { halfClose: true }],
  ['of another protocol', otherProtocols, {}],
];

for (const [promise, rows, manner] of tables) {
  for (const row of rows) {
    const [what, , ...statuses] = row;
    test(`${promise}: ${what} is ${statuses.join(', ') || 'no answer'}`, async (t) => {
      const outcome = await outcomeOf(scene().daemon.port, row, manner);
      t.deepEqual(outcome, { statuses, rest: '' });
    });
  }
}

test.after('the same daemon still serves, and nothing hostile came through it', async (t) => {
  const { daemon, origin } = scene();
  t.is(String((await daemon.get(stored)).body), 'a package');
  t.is(String((await daemon.get('/new.tar.gz')).body), 'a package');
  const asked = origin.requests.map(({ target }) => target);
  t.deepEqual(asked, [stored, '/new.tar.gz']);
  await daemon.logged(/stored "new/);
  const names = await readdir(daemon.cacheDir);
  t.deepEqual(names.toSorted(), ['.package-cache', 'new.tar.gz', 'x.tar.gz']);
});
