import { CacheError } from '../errors.ts';
import type { Attempt, Upstream, UpstreamAnswer, UpstreamRequest } from './request.ts';

/** How much the sources are asked at once; read at each use, since a reload may change it. */
export interface PlaceLimits {
  /** Requests under way at one source, until the end of their bodies. */
  readonly maxFillsPerSource: number;
  /** Requests that wait for that, at all sources together. */
  readonly maxQueue: number;
}

/**
 * The share of the places, and of the queue, that each kind of request may use. Slow clients cannot
 * take all of them from the downloads, nor can long downloads keep short questions waiting.
 */
const SHARES = { passed: 0.75, download: 1, question: 1.25 };

/** What asks for something short, or for the rest of what had a place a moment ago. */
const QUESTIONS = ['if-none-match', 'if-modified-since', 'range'];

/** A request that waits for a place. */
interface Waiting {
  readonly request: UpstreamRequest;
  readonly go: () => void;
}

/**
 * Bounds how many requests are under way at each source: those beyond wait, first come, first
 * served, and those beyond the queue are refused with CacheError `busy`. A place is taken when a
 * request is sent, and held until nothing of it is on its way any more, whatever became of it.
 */
export function limitUpstream(upstream: Upstream, limits: () => PlaceLimits): Upstream {
  const taken = new Map<string, number>();
  const queue = new Set<Waiting>();

  const hasPlace = (request: UpstreamRequest): boolean => {
    const places = Math.ceil(limits().maxFillsPerSource * shareOf(request));
    return (taken.get(request.source.url) ?? 0) < places;
  };
  const start = (request: UpstreamRequest): Attempt => {
    const { url } = request.source;
    taken.set(url, (taken.get(url) ?? 0) + 1);
    request.sending?.();
    const attempt = upstream.ask(request);
    void attempt.over.then(() => free(url));
    return attempt;
  };
  const free = (url: string): void => {
    const left = (taken.get(url) ?? 1) - 1;
    if (left > 0) taken.set(url, left);
    else taken.delete(url);
    admit();
  };
  const admit = (): void => {
    for (const waiting of queue) {
      if (!hasPlace(waiting.request)) continue;
      queue.delete(waiting);
      waiting.go();
    }
  };
  const wait = (request: UpstreamRequest): Attempt => {
    const answer = Promise.withResolvers<UpstreamAnswer>();
    const over = Promise.withResolvers<void>();
    answer.promise.catch(() => {});
    let attempt: Attempt | undefined;
    const go = () => {
      attempt = start(request);
      answer.resolve(attempt.answer);
      over.resolve(attempt.over);
    };
    const waiting: Waiting = { request, go };
    queue.add(waiting);
    const abort = (reason: Error) => {
      if (attempt !== undefined) return attempt.abort(reason);
      queue.delete(waiting);
      answer.reject(reason);
      over.resolve();
    };
    return { answer: answer.promise, over: over.promise, abort };
  };
  return {
    ask: (request) => {
      // A reload may have made room.
      admit();
      if (hasPlace(request)) return start(request);
      const bound = Math.ceil(limits().maxQueue * shareOf(request));
      return queue.size < bound ? wait(request) : refuse(request);
    },
    close: () => upstream.close(),
  };
}

function shareOf({ method, fields = {}, passed }: UpstreamRequest): number {
  if (passed === true) return SHARES.passed;
  const isQuestion = method === 'HEAD' || QUESTIONS.some((name) => name in fields);
  return isQuestion ? SHARES.question : SHARES.download;
}

function refuse({ source, path }: UpstreamRequest): Attempt {
  const reason = `no place for another request (MAX_FILLS_PER_SOURCE), nor to wait (MAX_QUEUE)`;
  const thing = source.url + path;
  const answer = Promise.reject(new CacheError('busy', { verb: 'ask for', thing, reason }));
  answer.catch(() => {});
  return { answer, over: Promise.resolve(), abort: () => {} };
}
