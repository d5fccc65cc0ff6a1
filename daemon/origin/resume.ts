import type { KeptPartial } from '../cache/partial-book.ts';
import type { Policy } from '../cache/policy.ts';
import type { RepositoryConfig } from '../config/config.ts';
import type { Fills } from './collapse.ts';
import { routeOf } from './record.ts';

/** What a daemon finds unfinished when it starts. */
export interface Unfinished {
  readonly kept: readonly KeptPartial[];
  readonly fills: Fills;
  readonly policy: Policy;
  readonly repositories: readonly RepositoryConfig[];
}

/**
 * Goes on with the downloads that the last run left, one after another, without waiting for a
 * client. What cannot go on now is left for the next request.
 */
export async function resumeAll({ kept, fills, policy, repositories }: Unfinished): Promise<void> {
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
