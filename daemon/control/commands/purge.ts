import { globPattern } from '../../cache/policy.ts';
import { CacheError } from '../../errors.ts';
import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { EntryRow } from '../messages.ts';
import type { PurgeReply } from '../reports.ts';
import { routeOf } from '../routes.ts';
import { BadArgument, type Values } from '../values.ts';
import { MAX_ROWS } from '../wire.ts';
import { listReply, rowOf, watchCull } from './entries.ts';

const PATIENCE = 60_000;

/** Removes what is named, however new it is; what is only remembered of it goes too. */
export async function purge(
  { patterns }: Values<'purge'>,
  call: Call,
  context: ControlContext,
): Promise<PurgeReply> {
  const globs = patterns.filter((pattern) => /[*?[{\\]/.test(pattern));
  const matchers = globs.map(compile);
  const direct = await purgePaths(patterns, call, context);
  const open = matchers.filter(({ glob }) => !direct.found.has(glob));
  const swept = open.length === 0 ? nothing : await purgeGlobs(open, call, context);
  const unmatched = patterns.filter(
    (pattern) => !direct.found.has(pattern) && !open.some((one) => one.glob === pattern && one.hit),
  );
  return {
    entries: direct.entries + swept.entries,
    bytes: direct.bytes + swept.bytes,
    partials: direct.partials + swept.partials,
    failed: swept.failed,
    problems: swept.problems,
    unmatched,
  };
}

const nothing = { entries: 0, bytes: 0, partials: 0, failed: 0, problems: [] };

interface Matcher {
  readonly glob: string;
  readonly pattern: RegExp;
  /** It matched something that went. */
  hit: boolean;
}

function compile(glob: string): Matcher {
  try {
    return { glob, pattern: globPattern(glob), hit: false };
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    throw new BadArgument('patterns', `"${glob}" is no glob: ${error.reason}`);
  }
}

// A name may hold what looks like a glob: what is stored under it is meant first.
async function purgePaths(
  patterns: readonly string[],
  { id, line }: Call,
  context: ControlContext,
) {
  const { store, meta, fills, log } = context.serve;
  const found = new Set<string>();
  const rows: EntryRow[] = [];
  let bytes = 0;
  // All are looked at before any goes: a bad one removes nothing.
  const named = patterns.map((pattern) => ({ pattern, key: routeOf(pattern, context).key }));
  for (const { pattern, key } of named) {
    if (line.gone.aborted) break;
    if (key === '') continue;
    const entry = await store.remove(key);
    if (entry === undefined) continue;
    await meta.remove(key);
    context.budget.census.noteRemoval(entry);
    log.info(`purged "${key}"`);
    found.add(pattern);
    bytes += entry.size;
    rows.push(rowOf(entry));
  }
  const keys = new Set(named.map(({ key }) => key));
  const left = await fills.forget((key) => keys.has(key));
  for (const { pattern, key } of named) if (left.includes(key)) found.add(pattern);
  for (let at = 0; at < rows.length; at += MAX_ROWS) {
    const params = { id, rows: rows.slice(at, at + MAX_ROWS) };
    await line.notify({ jsonrpc: '2.0', method: 'rows', params });
  }
  return { found, entries: rows.length, bytes, partials: left.length };
}

async function purgeGlobs(
  matchers: readonly Matcher[],
  call: Call,
  { budget, serve }: ControlContext,
) {
  const watching = watchCull(call, PATIENCE);
  const summary = await budget.cull(
    { purge: true, list: true, glob: matchers.map(({ glob }) => glob) },
    {
      ...watching,
      onProgress: (progress) => {
        for (const matcher of matchers) {
          matcher.hit ||= progress.culled.some(({ key }) => matcher.pattern.test(key));
        }
        return watching.onProgress?.(progress);
      },
    },
  );
  const left = await serve.fills.forget((key) => matchers.some(({ pattern }) => pattern.test(key)));
  for (const matcher of matchers) matcher.hit ||= left.some((key) => matcher.pattern.test(key));
  return { ...listReply(summary), partials: left.length };
}
