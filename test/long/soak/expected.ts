import type { Head } from '../../helpers/client.ts';
import type { Field } from '../../helpers/fields.ts';
import { indexTruth, packageTruth, pageTruth, type Truth, versionAt } from './truth.ts';

/** One request, and the statuses that may answer it beside the file or a refusal. */
export interface Ask {
  readonly target: string;
  readonly method?: 'GET' | 'HEAD';
  readonly fields?: readonly Field[];
  readonly also?: readonly number[];
}

/** What has to follow a head. */
export type Expected =
  | {
      readonly kind: 'whole' | 'part';
      readonly truth: Truth;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'parts'; readonly truth: Truth }
  /** A head alone, or a text about why not. */
  | { readonly kind: 'head' | 'refused' };

/** The sources may have failed all together; a limit may have been met. */
const REFUSALS: readonly number[] = [502, 503];

/**
 * What has to follow a head.
 *
 * @throws Error for a head that nothing in the world explains.
 */
export function expectedOf(ask: Ask, head: Head): Expected {
  const { status } = head;
  if (ask.also?.includes(status) === true) return { kind: 'head' };
  if (REFUSALS.includes(status)) return { kind: 'refused' };
  if (status !== 200 && status !== 206) throw new Error(`status ${status}`);
  const truth = truthOf(ask.target.replace(/^http:\/\/[^/]*/, ''), head);
  checkFields(head, truth);
  if (ask.method === 'HEAD') return { kind: 'head' };
  const type = head.header('content-type') ?? '';
  if (status === 206 && type.startsWith('multipart/')) return { kind: 'parts', truth };
  const [from, to] = status === 206 ? rangeOf(head, truth) : [0, truth.size];
  const length = head.header('content-length');
  if (length !== undefined && Number(length) !== to - from) throw new Error(`length ${length}`);
  return { kind: status === 206 ? 'part' : 'whole', truth, from, to };
}

function truthOf(target: string, head: Head): Truth {
  if (/[?]|\/$/.test(target)) return pageTruth(target);
  if (!target.startsWith('/dists/')) return packageTruth(target);
  const version = Date.parse(head.header('last-modified') ?? '') / 1000;
  // It may be as old as it likes, but never from the future.
  if (!(version <= versionAt(Date.now()))) throw new Error(`version ${version}`);
  return indexTruth(target, version);
}

function checkFields(head: Head, { lastModified, etag }: Truth): void {
  const date = head.header('last-modified');
  if (date !== undefined && Date.parse(date) !== lastModified * 1000)
    throw new Error(`date ${date}`);
  const tag = head.header('etag');
  if (tag !== undefined && tag !== etag) throw new Error(`tag ${tag}`);
  const cacheStatus = head.header('cache-status') ?? '';
  if (!cacheStatus.startsWith('package-cache; ')) throw new Error(`Cache-Status ${cacheStatus}`);
}

function rangeOf(head: Head, { size }: Truth): readonly [from: number, to: number] {
  const field = head.header('content-range') ?? '';
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(field) ?? [];
  if (Number(whole) !== size || Number(last) >= size) throw new Error(`range ${field}`);
  return [Number(first), Number(last) + 1];
}
