import { createHash } from 'node:crypto';
import { CacheError } from '../errors.ts';
import type { Digest } from '../gentoo/digest-table.ts';
import { isDigestOf, WITHHELD } from './proof.ts';

/** The pieces of a body that is handed on, of which the last ones stay until all have a digest. */
export interface Withholding {
  /** Takes a piece, and gives those that may go out now. */
  push(piece: Buffer): readonly Buffer[];
  /** Gives the rest of a body that is whole. @throws CacheError `source` when it is another */
  finish(): readonly Buffer[];
}

/** Nothing is withheld of a file that no Manifest has a word on. */
const passing: Withholding = { push: (piece) => [piece], finish: () => [] };

/** Withholds the end of a body: what `Proof` does where there is a file to read it from. */
export function withholdEnd(digests: readonly Digest[], thing: string): Withholding {
  if (digests.length === 0) return passing;
  const hashes = new Map(digests.map(({ algorithm }) => [algorithm, createHash(algorithm)]));
  let held: Buffer[] = [];
  let bytes = 0;
  let size = 0;
  return {
    push: (piece) => {
      for (const hash of hashes.values()) hash.update(piece);
      held.push(piece);
      bytes += piece.length;
      size += piece.length;
      let out = 0;
      while (bytes - (held[out]?.length ?? 0) >= WITHHELD) {
        bytes -= held[out]?.length ?? 0;
        out += 1;
      }
      return held.splice(0, out);
    },
    finish: () => {
      const found = new Map([...hashes].map(([name, hash]) => [name, hash.digest('hex')]));
      if (digests.some((digest) => isDigestOf(digest, { size, hashes: found }))) return held;
      held = [];
      throw new CacheError('source', {
        verb: 'pass on',
        thing,
        reason: 'it is not the file that the Manifests mean',
      });
    },
  };
}
