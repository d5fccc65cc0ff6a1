import type { KeptPartial, PartialBook } from '../cache/partial-book.ts';
import type { Policy } from '../cache/policy.ts';
import type { RepositoryConfig } from '../config/config.ts';
import { describe } from '../errors.ts';
import type { Manifests } from '../gentoo/manifests.ts';
import { type Clock, repeat, systemClock } from '../schedule.ts';
import type { Log } from '../system/log.ts';
import type { Fills } from './collapse.ts';
import { routeOf } from './record.ts';

/** What a daemon finds unfinished when it starts. */
export interface Unfinished {
  readonly kept: readonly KeptPartial[];
  readonly fills: Fills;
  readonly policy: Policy;
  readonly repositories: readonly RepositoryConfig[];
  readonly manifests: Pick<Manifests, 'ready'>;
}

/**
 * Goes on with the downloads that the last run left, one after another, without waiting for a
 * client. What cannot go on now is left for the next request.
 */
export async function resumeAll(unfinished: Unfinished): Promise<void> {
  const { kept, fills, policy, repositories, manifests } = unfinished;
  // Nobody waits for them: they may as well be held against their digests.
  await manifests.ready();
  for (const { record } of kept) {
    const route = routeOf(record, repositories);
    const known = route?.repository.sources.some(({ url }) => url === record.source);
    if (route === undefined || known !== true || policy.classify(route.path).mutable) continue;
    try {
      const { fill } = fills.join({ route, mutable: false });
      fill.leave();
      await fill.finished;
    } catch {
      // A limit is reached or the daemon stops: the partial stays where it is.
      return;
    }
  }
}

const DAY = 86_400_000;

/** What the partials of a daemon that runs for years are looked through with. */
export interface Expiry {
  readonly partials: PartialBook;
  readonly fills: Fills;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Goes on with what the last stop cut off, and gives up in time what nobody can go on with; returns
 * what ends that.
 */
export function continueDownloads(given: Unfinished & Expiry): () => Promise<void> {
  resumeAll(given).catch((error: unknown) => given.log.error(`Cannot resume: ${describe(error)}`));
  return expireDaily(given);
}

/** Gives up, once a day, what nobody has asked for again in a week; returns what ends that. */
export function expireDaily(expiry: Expiry): () => Promise<void> {
  const { partials, fills, log, clock = systemClock } = expiry;
  return repeat({ clock, first: DAY, every: DAY }, () =>
    partials
      .expire(clock.now(), (key) => fills.get(key) !== undefined)
      .catch((error: unknown) => log.warn(`Cannot clear partials: ${describe(error)}`)),
  );
}
