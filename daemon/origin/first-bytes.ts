import { isArchiveName } from '../cache/policy.ts';
import type { Expected, Verdict } from './judge.ts';

/** Bytes. No page that tells of an error or wants a login is longer; Portage has that limit too. */
const LONGEST_PAGE = 100_000;

/** A good answer, and a way to its first bytes: none come of an empty body. */
export interface Begun {
  readonly verdict: Verdict & { readonly kind: 'good' };
  readonly expected: Expected;
  readonly firstBytes: () => Promise<Buffer>;
}

/**
 * Judges a good answer again by the beginning of its body, where that shows what its head does not:
 * without a length an empty body, and in place of an archive a page that goes by another type. It
 * must show before the client's head.
 *
 * @throws the reason why the body broke off before.
 */
export async function judgeFirstBytes({ verdict, expected, firstBytes }: Begun): Promise<Verdict> {
  const { path, mutable, page } = expected;
  if (mutable) return verdict;
  const { head, from } = verdict;
  const isArchive = from === 0 && page !== true && isArchiveName(path);
  const mayBePage = isArchive && (head.length ?? 0) < LONGEST_PAGE;
  if (head.length !== undefined && !mayBePage) return verdict;
  const first = await firstBytes();
  if (first.length === 0) return { kind: 'bad', reason: 'an empty body' };
  if (mayBePage && beginsAsHtml(first)) {
    return { kind: 'bad', reason: 'an HTML page, not a package' };
  }
  return verdict;
}

function beginsAsHtml(first: Buffer): boolean {
  return /^\s*<(?:!doctype html|html)[\s>]/i.test(first.toString('utf8', 0, 100));
}
