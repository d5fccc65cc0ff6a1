import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, bodyOf } from '../../helpers/origin.ts';
import type { Dice } from './dice.ts';
import type { Truth } from './truth.ts';

/** What a source says for a file when all is well. */
export function honest({ body, lastModified }: Truth): Answer {
  return { generate: body, lastModified: new Date(lastModified * 1000) };
}

const html: Answer['fields'] = [['Content-Type', 'text/html']];

/** What a source can do wrong, or in another way than others. */
type Fault = (truth: Truth, dice: Dice) => Answer | Promise<Answer>;

const somewhere = ({ size }: Truth, dice: Dice) => dice.below(size) + 1;

const faults: readonly (readonly [weight: number, fault: Fault])[] = [
  // It breaks off, in a way that shows.
  [6, (truth, dice) => ({ ...honest(truth), cutAfter: somewhere(truth, dice) })],
  [6, (truth, dice) => ({ ...honest(truth), resetAfter: somewhere(truth, dice) })],
  [3, (truth) => ({ ...honest(truth), resetAfter: 0 })],
  [2, (truth) => ({ ...honest(truth), dropChunkEnd: true })],
  [1, (truth, dice) => ({ ...honest(truth), stallAfter: somewhere(truth, dice) })],
  // It has something else to say, or nothing.
  [6, () => ({ status: 503 })],
  [3, () => ({ status: 200, body: '<html>sign in</html>', fields: html })],
  [2, (truth) => (truth.mutable ? { status: 500 } : { status: 200, body: '' })],
  [2, (truth) => ({ ...honest(truth), encoding: 'br' })],
  [2, () => ({ raw: 'SSH-2.0-OpenSSH_9.9\r\n' })],
  // It takes its time.
  [3, (truth, dice) => pause(dice.below(3000), honest(truth))],
  [4, (truth, dice) => ({ ...honest(truth), rate: 20_000 + dice.below(400_000) })],
  // It does well, in its own way.
  [4, (truth) => ({ ...honest(truth), length: 'chunked' })],
  [3, (truth) => ({ ...honest(truth), length: 'none' })],
  [4, (truth) => ({ ...honest(truth), ranges: false })],
  [4, (truth) => ({ ...honest(truth), etag: false })],
  [3, (truth) => ({ ...honest(truth), interim: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' })],
];

/** What the Manifests are for: another end, or another length. No two sources tell the same lie. */
const lies: readonly (readonly [weight: number, fault: Fault])[] = [
  [3, (truth, dice) => lie(truth, dice, 0)],
  [1, (truth, dice) => lie(truth, dice, 1 + dice.below(1e5))],
];

// No reader gets the end before it is proven, and what comes before it is right.
function lie(truth: Truth, dice: Dice, more: number): Answer {
  const end = Math.min(truth.size, 1 + dice.below(60_000));
  const other = bodyOf(dice.below(1e9), end + more);
  const body = Buffer.concat([truth.read(0, truth.size - end), other]);
  return { body, lastModified: new Date(truth.lastModified * 1000) };
}

/** One of them, or of the lies where the Manifests know better. */
export function faulty(
  truth: Truth,
  dice: Dice,
  { known }: { readonly known: boolean },
): Answer | Promise<Answer> {
  return dice.weigh(known && dice.chance(0.5) ? lies : faults)(truth, dice);
}
