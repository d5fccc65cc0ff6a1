import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, type OriginRequest, startOrigin } from '../helpers/origin.ts';
import { casesToRun, named, tellKinds } from './fuzz.ts';
import { answersIn, type WireAnswer } from './head/answers.ts';
import { makeSent, POOL, type Sent, stored } from './head/make.ts';
import { type Good, type Part, partsOf, valuesOf } from './head/reference.ts';
import { talk } from './head/talk.ts';
import { words } from './mutate.ts';
import { Random } from './random.ts';

/** So many connections at a time. */
const CROWD = 48;

const refusals = [400, 403, 405, 413, 431, 501, 505];
const finals = [200, 206, 304, 400, 403, 404, 412, 416, 504];

/** Fields that decide what a stored package is answered with. */
const deciding = ['range', 'if-match', 'if-none-match', 'if-range', 'cache-control'];

const packages = Array.from({ length: POOL }, (_, number) =>
  bodyOf(stored(number), 20 + 7 * number),
);

function assertAnswer(part: Part, answer: WireAnswer | undefined): void {
  assert.ok(answer !== undefined, `no answer to ${JSON.stringify(part)}`);
  assert.ok(answer.interim <= (part.expects ? 1 : 0), 'an interim answer to nothing');
  if (part.kind === 'refused') {
    assert.ok(refusals.includes(answer.status), `${answer.status} for ${part.why}`);
    return;
  }
  assert.ok(finals.includes(answer.status), `${answer.status} for ${JSON.stringify(part)}`);
  assertPackage(part, answer);
}

// Whose package it is tells which request an answer belongs to.
function assertPackage({ target, method, fields }: Good, { status, body }: WireAnswer): void {
  const number = packages.findIndex((_, at) => stored(at) === target);
  const content = packages[number]?.toString('latin1');
  if (content === undefined) return;
  const isPlain = deciding.every((name) => valuesOf(fields, name).length === 0);
  if (isPlain) assert.equal(status, 200);
  if (status === 200 && method === 'GET') assert.equal(body, content);
}

function compare(sent: readonly Part[], received: string): void {
  const answers = answersIn(received, sent);
  // Node ends a connection of HTTP/1.0 behind an answer without a length, as a 304 is.
  const end = sent.findIndex(
    (part, at) => part.kind === 'request' && part.version === '1.0' && answers[at]?.status === 304,
  );
  const parts = end < 0 ? sent : sent.slice(0, end + 1);
  const last = parts.at(-1);
  // Behind good requests a client that says no more is not told what was wrong with its last words.
  const isSilent =
    last?.kind === 'refused' && answers.length === parts.length - 1 && parts.length > 1;
  (isSilent ? parts.slice(0, -1) : parts).forEach((part, at) => {
    assertAnswer(part, answers[at]);
  });
  assert.ok(isSilent || answers.length === parts.length, 'an answer that nothing asked for');
}

/** What a source is asked for, when a client asks for this. */
function forwarded(target: string): string {
  const [path = '', ...query] = target.replace(/^[A-Za-z]+:\/\/[^/?]*/, '').split('?');
  const isNone = (piece: string) => /^(?:\.|%2e)?$/i.test(piece);
  const pieces = path.split('/');
  const kept = pieces.filter((piece) => !isNone(piece)).map((piece) => `/${piece}`);
  const end = isNone(pieces.at(-1) ?? '') ? '/' : '';
  return [kept.join('') + end, ...query].join('?');
}

const ownFields = words('host connection user-agent via cdn-loop accept accept-encoding');

/** Whether nothing of a client's is in what a source was sent. */
function isOurs({ method, fields }: OriginRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return fields.every(([name, value]) => {
    const isKnown = ownFields.includes(name.toLowerCase());
    return isKnown && (name.toLowerCase() !== 'host' || value.startsWith('127.0.0.1:'));
  });
}

function kindOf(parts: readonly Part[]): string {
  if (parts.some(({ kind }) => kind === 'refused'))
    return parts.length > 1 ? 'refused behind good ones' : 'refused';
  return parts.length > 1 ? 'several good ones' : parts.length === 1 ? 'good' : 'nothing';
}

test('a daemon answers each request once, and what is none once at most; nothing else goes on', async (t) => {
  t.timeout(600_000);
  const origin = await startOrigin(t, {
    files: Object.fromEntries(packages.map((body, number) => [stored(number), body])),
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  for (const at of packages.keys()) await daemon.get(stored(at));
  const source = `127.0.0.1:${origin.port}`;
  const asked = new Set<string>();
  const counted = new Map<string, number>();
  const { seed, first, count } = casesToRun();
  let next = first;

  const run = async (number: number, sent: Sent): Promise<void> => {
    const parts = partsOf(sent.join(''));
    for (const part of parts) if (part.kind === 'request') asked.add(forwarded(part.target));
    const received = await talk(daemon.port, sent).catch((error: Error) => error);
    named({ seed, number }, sent, () => {
      if (received instanceof Error) throw received;
      compare(parts, received);
    });
    counted.set(kindOf(parts), (counted.get(kindOf(parts)) ?? 0) + 1);
  };
  const work = async (): Promise<void> => {
    while (next < first + count) {
      const number = next;
      next += 1;
      await run(number, makeSent(new Random(seed, number), source));
    }
  };
  await Promise.all(Array.from({ length: CROWD }, work));

  tellKinds(t, counted, {
    nothing: 0,
    good: 0.1,
    'several good ones': 0.05,
    refused: 0.2,
    'refused behind good ones': 0.1,
  });
  t.is((await daemon.get(stored(0))).status, 200);
  t.log(`${origin.count()} requests were forwarded`);
  t.deepEqual(
    origin.requests.filter((request) => !isOurs(request) || !asked.has(request.target)),
    [],
  );
  t.deepEqual((await readdir(daemon.cacheDir)).toSorted(), ['.package-cache', 'p']);
  t.is((await readdir(join(daemon.cacheDir, 'p'))).length, POOL);
});
