import { createHash } from 'node:crypto';
import {
  type Algorithm,
  algorithms,
  createDigestRows,
  type DigestRows,
  HASH_BYTES,
  rowKeyOf,
} from '../../daemon/gentoo/digest-table.ts';

/** What a distfile may be. */
export interface Named {
  readonly name: string;
  readonly body: Buffer | string;
  /** BLAKE2B when nothing is said. */
  readonly algorithm?: Algorithm;
}

/** Digests as Manifests would tell them. */
export function digestRows(files: readonly Named[]): DigestRows {
  const rows = createDigestRows(files.length);
  const sorted = files.toSorted((a, b) => (rowKeyOf(a.name) < rowKeyOf(b.name) ? -1 : 1));
  for (const [row, { name, body, algorithm = 'blake2b512' }] of sorted.entries()) {
    rows.names[row] = rowKeyOf(name);
    rows.sizes[row] = Buffer.byteLength(body);
    rows.algorithms[row] = algorithms.indexOf(algorithm);
    rows.hashes.set(createHash(algorithm).update(body).digest(), row * HASH_BYTES);
  }
  return rows;
}
