import type { GrowingBody } from '../cache/growing-body.ts';
import type { SourceUrl } from '../config/source-url.ts';
import type { Digest } from '../gentoo/digest-table.ts';
import { type Inspected, inspect } from './inspect.ts';
import type { Agreement, FillContext, FillHead } from './order.ts';
import type { Route } from './route.ts';

/** So many bytes at the end no reader gets before the whole has a digest of the Manifests. */
export const WITHHELD = 64 * 1024;

/** What a whole body proved to be. */
export type Verdict =
  /** No Manifest has a word on it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'right' }
  /** No Manifest has it, but two sources do: it is the Manifests that lag behind. */
  | { readonly kind: 'agreed'; readonly reason: string; readonly on: Agreement }
  | { readonly kind: 'wrong'; readonly reason: string };

interface WrongCopy {
  readonly body: GrowingBody;
  /** Who gave all of it; several may have. */
  readonly source: SourceUrl | undefined;
  readonly hash: string;
}

/** What the Manifests say of the file that a route means. */
export function digestsFor(
  { distfile }: Route,
  { manifests }: Pick<FillContext, 'manifests'>,
): readonly Digest[] {
  return distfile === undefined ? [] : manifests.digestsOf(distfile);
}

/** The lengths that a file may have, in bytes; undefined where no Manifest has a word on it. */
export function sizesOf(
  digests: readonly Digest[],
  agreed?: Agreement,
): readonly number[] | undefined {
  if (digests.length === 0) return undefined;
  const all = [...digests, ...(agreed === undefined ? [] : [agreed])];
  return [...new Set(all.map(({ size }) => size))];
}

/** Why a whole body is not to be stored, if there is a reason. */
export function doubtOf(head: FillHead, verdict: Verdict): string | undefined {
  if (verdict.kind === 'agreed') return `two sources agree on it, but it is ${verdict.reason}`;
  return head.stored ? undefined : 'its end is uncertain';
}

/** The proof that a file is one that the Manifests mean: copy after copy, until one is. */
export class Proof {
  readonly #digests: readonly Digest[];
  /** A copy on which two sources agreed before. */
  readonly #agreed: Agreement | undefined;
  readonly #wrong: WrongCopy[] = [];
  #watched: { readonly body: GrowingBody; readonly inspected: Promise<Inspected> } | undefined;

  constructor(digests: readonly Digest[], agreed: Agreement | undefined) {
    this.#digests = digests;
    this.#agreed = agreed;
  }

  /** Hashes a copy as it comes, ahead of its first reader; readers of a wrong one go over to it. */
  watch(body: GrowingBody): void {
    if (this.#digests.length === 0) return;
    const former = this.#wrong.at(-1);
    body.withhold(WITHHELD);
    former?.body.succeedBy(body, new Error('what was sent before is not the file'));
    const algorithms = [...new Set(this.#digests.map(({ algorithm }) => algorithm))];
    const inspected = inspect(body, { algorithms, former: former?.body });
    // A copy that breaks off is never judged.
    inspected.catch(() => {});
    this.#watched = { body, inspected };
  }

  /** Judges the copy that was watched last, all of which is there. */
  async judge(source: SourceUrl | undefined): Promise<Verdict> {
    if (this.#watched === undefined) return { kind: 'unknown' };
    const { body, inspected } = this.#watched;
    const found = await inspected;
    if (this.#digests.some((digest) => isDigestOf(digest, found))) return { kind: 'right' };
    const [hash = ''] = found.hashes.values();
    const reason = this.#wordMismatch(found, hash);
    const isKnown = this.#wrong.some((copy) => copy.hash === hash && areTwo(copy.source, source));
    if (isKnown || hash === this.#agreed?.hash) {
      return { kind: 'agreed', reason, on: { size: found.size, hash } };
    }
    this.#wrong.push({ body, source, hash });
    return { kind: 'wrong', reason };
  }

  /** The first byte in which copies differ from the one that took over, as far as that is known. */
  get differsAt(): number | undefined {
    const known = this.#wrong.flatMap(({ body }) => body.successor?.differsAt ?? []);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Whether a copy has proven to be wrong. */
  isWrong(body: GrowingBody): boolean {
    return this.#wrong.some((copy) => copy.body === body);
  }

  /** Tells those who still follow a wrong copy that no right one comes. */
  fail(reason: Error): void {
    for (const { body } of this.#wrong) body.fail(reason);
  }

  #wordMismatch({ size }: Inspected, hash: string): string {
    const wanted = this.#digests.map((digest) => `${digest.size} bytes, ${shorten(digest.hash)}`);
    return `not the file that the Manifests mean: ${size} bytes, ${shorten(hash)}, where they have ${wanted.join(' or ')}`;
  }
}

// A copy that several gave may be of one of them alone: it bears witness for nobody.
function areTwo(one: SourceUrl | undefined, other: SourceUrl | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Whether a Manifest means the body that was inspected. */
export function isDigestOf({ size, algorithm, hash }: Digest, found: Inspected): boolean {
  return found.size === size && found.hashes.get(algorithm) === hash;
}

function shorten(hash: string): string {
  return `${hash.slice(0, 16)}…`;
}
