import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { GrowingBody } from '../cache/growing-body.ts';
import { CacheError, describe } from '../errors.ts';
import type { Algorithm } from '../gentoo/digest-table.ts';

/** So much is read and hashed at once: a third of a millisecond in which nobody else is served. */
const PIECE = 256 * 1024;

/** What is to be found out of a body. */
export interface Inspection {
  readonly algorithms: readonly Algorithm[];
  /** The copy that it takes over from: it is told where the two agree. */
  readonly former?: GrowingBody | undefined;
}

/** A whole body's digests. */
export interface Inspected {
  /** Bytes. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly hashes: ReadonlyMap<Algorithm, string>;
}

/**
 * Hashes a body as it grows, from its file: what is there, and not what was meant to be written.
 *
 * @throws the body's failure; CacheError `storage` when the file cannot be read.
 */
export async function inspect(
  body: GrowingBody,
  { algorithms, former }: Inspection,
): Promise<Inspected> {
  const hashes = algorithms.map((name) => ({ name, hash: createHash(name) }));
  const file = body.share();
  const compare = former === undefined ? undefined : startComparison(former);
  const buffer = Buffer.allocUnsafeSlow(PIECE);
  try {
    let at = 0;
    for (;;) {
      await body.whenWritten(at);
      if (body.committed === at) break;
      const wanted = buffer.subarray(0, Math.min(PIECE, body.committed - at));
      const piece = await read(file.handle, wanted, at);
      for (const { hash } of hashes) hash.update(piece);
      await compare?.next(piece, at);
      at += piece.length;
    }
    return { size: at, hashes: new Map(hashes.map(({ name, hash }) => [name, hexOf(hash)])) };
  } finally {
    file.release();
    compare?.end();
  }
}

async function read(handle: FileHandle, into: Buffer, position: number): Promise<Buffer> {
  const thing = `bytes from ${position}`;
  const failed = (reason: string, cause?: unknown) =>
    new CacheError('storage', { verb: 'read', thing, reason, cause });
  const { bytesRead } = await handle.read(into, { position }).catch((cause: unknown) => {
    throw failed(describe(cause), cause);
  });
  if (bytesRead === 0) throw failed('the file was made shorter while it was read');
  return into.subarray(0, bytesRead);
}

function hexOf(hash: Hash): string {
  return hash.digest('hex');
}

function startComparison(former: GrowingBody) {
  const file = former.share();
  const own = Buffer.allocUnsafeSlow(PIECE);
  let over = false;
  return {
    next: async (piece: Buffer, at: number): Promise<void> => {
      if (over) return;
      const same = await countSame(file.handle, { piece, own, at });
      if (same === piece.length) return former.agreeUpTo(at + same);
      over = true;
      former.differFrom(at + same);
    },
    end: () => file.release(),
  };
}

interface Compared {
  readonly piece: Buffer;
  /** Takes what the former copy has there. */
  readonly own: Buffer;
  readonly at: number;
}

async function countSame(handle: FileHandle, { piece, own, at }: Compared): Promise<number> {
  // What cannot be read cannot be the same.
  const { bytesRead } = await handle
    .read(own, { length: piece.length, position: at })
    .catch(() => ({ bytesRead: 0 }));
  if (bytesRead === piece.length && own.subarray(0, bytesRead).equals(piece)) return bytesRead;
  let same = 0;
  while (same < bytesRead && own[same] === piece[same]) same += 1;
  return same;
}
