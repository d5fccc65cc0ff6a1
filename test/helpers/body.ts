import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes that are read by position, from memory or made on the way. */
export interface Source {
  readonly size: number;
  read(from: number, to: number): Buffer;
}

/** A body named by its seed: the same seed gives the same bytes, of any size. */
export interface Generate {
  readonly seed: number | string;
  readonly size: number;
}

/** Bytes that no compression shortens and that differ from seed to seed, quick even for 64 MB. */
export function bodyOf(seed: number | string, size: number): Buffer {
  return generated({ seed, size }).read(0, size);
}

/** The bytes of `bodyOf` without holding them: each word depends on nothing but its position. */
export function generated({ seed, size }: Generate): Source {
  const key = keyOf(seed);
  return {
    size,
    read: (from, to) => {
      const first = Math.floor(from / 4);
      const end = Math.min(to, size);
      const words = new Uint32Array(Math.max(0, Math.ceil(end / 4) - first));
      for (let index = 0; index < words.length; index += 1) words[index] = word(key, first + index);
      return Buffer.from(words.buffer).subarray(from - first * 4, end - first * 4);
    },
  };
}

/** A body in memory as a source. */
export function inMemory(body: Buffer | string): Source {
  const bytes = Buffer.from(body);
  return { size: bytes.length, read: (from, to) => bytes.subarray(from, to) };
}

/** SHA-256 in hex of a generated body, block by block; the event loop turns in between. */
export async function sha256OfGenerated(body: Generate): Promise<string> {
  const source = generated(body);
  const hash = createHash('sha256');
  const block = 1024 ** 2;
  for (let from = 0; from < body.size; from += block) {
    hash.update(source.read(from, Math.min(from + block, body.size)));
    await nextTurn();
  }
  return hash.digest('hex');
}

function keyOf(seed: number | string): number {
  return createHash('sha256')
    .update(`${typeof seed} ${seed}`)
    .digest()
    .readUInt32LE();
}

/** The finaliser of MurmurHash3 over a Weyl sequence. */
function word(key: number, index: number): number {
  let mixed = (key + Math.imul(index, 0x9e3779b9)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
