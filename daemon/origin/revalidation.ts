import type { Meta } from '../cache/meta.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { formatHttpDate } from '../http/date.ts';
import type { OriginHead } from './judge.ts';

/** For so long an older copy from another mirror does not replace a newer one. */
const NO_STEP_BACK = 24 * 3_600_000;

/**
 * The fields of a conditional request for the copy we have, by source; undefined when nothing is
 * known that a source could compare.
 */
export function validatorsFor(
  previous: Meta,
): ((source: SourceUrl) => Record<string, string>) | undefined {
  const { etag, lastModified, source: own } = previous;
  if (lastModified === undefined && etag === undefined) return undefined;
  // Another mirror's entity tag says nothing; its date does (RFC 9110 section 13.1.3).
  return (source) => ({
    ...(etag === undefined || source.url !== own ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': formatHttpDate(lastModified) }),
  });
}

/** Mirrors lag: what another one has may be older than what we have, and is not taken for new. */
export function isStepBack(
  previous: Meta | undefined,
  fresh: { readonly head: OriginHead; readonly source: SourceUrl },
): boolean {
  const { head, source } = fresh;
  if (previous?.lastModified === undefined || head.lastModified === undefined) return false;
  if (source.url === previous.source) return false;
  if (Date.now() - previous.fetched > NO_STEP_BACK) return false;
  return head.lastModified < previous.lastModified;
}
