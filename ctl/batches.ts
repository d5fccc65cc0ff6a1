import { MAX_MESSAGE_BYTES } from '../daemon/control/wire.ts';

type Params = Readonly<Record<string, unknown>>;

/** What a list of arguments may take of a message, whose frame takes some too. */
const ROOM = MAX_MESSAGE_BYTES - 1024;

/** The same arguments as requests that are short enough: a long list makes several. */
export function splitParams(params: Params): readonly Params[] {
  const list = Object.entries(params).find(([, value]) => Array.isArray(value));
  if (list === undefined) return [params];
  const [name, values] = list as [string, readonly string[]];
  const batches: string[][] = [];
  let room = 0;
  for (const value of values) {
    const bytes = Buffer.byteLength(JSON.stringify(value)) + 1;
    if (bytes > room) {
      batches.push([]);
      room = ROOM;
    }
    batches.at(-1)?.push(value);
    room -= bytes;
  }
  return batches.map((batch) => ({ ...params, [name]: batch }));
}

/** Two replies of one command as one: numbers add up, lists follow each other. */
export function mergeReplies(left: Params | undefined, right: Params): Params {
  if (left === undefined) return right;
  return Object.fromEntries(
    Object.entries(right).map(([name, value]) => [name, merged(left[name], value)]),
  );
}

function merged(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  return Array.isArray(left) && Array.isArray(right) ? [...left, ...right] : right;
}
