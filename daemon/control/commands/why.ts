import { digestsFor } from '../../origin/proof.ts';
import type { Route } from '../../origin/route.ts';
import type { ControlContext } from '../context.ts';
import { downloadReport, sourceReport } from '../facts.ts';
import type { AskedSource, OutcomeReport, StoredReport, WhyReply } from '../reports.ts';
import { routeOf } from '../routes.ts';
import type { Values } from '../values.ts';

/** Explains what happens to a path, with the answers of those who would decide it. */
export async function why({ path }: Values<'why'>, context: ControlContext): Promise<WhyReply> {
  const { fills, settings } = context.serve;
  const route = routeOf(path, context);
  const { mutable, rule, origin } = settings().policy.classify(route.path);
  const running = fills.get(route.key)?.report();
  return {
    path,
    key: route.key,
    repository: route.repository.name,
    pass: route.pass,
    mutable,
    rule,
    ruleFrom: origin,
    entry: route.pass ? null : await storedReport(route, mutable, context),
    download: (running && downloadReport(running)) ?? null,
    sources: askedSources({ route, mutable }, context),
    digests: digestsFor(route, context.serve),
    missing: isMissing(route, context),
    last: lastOutcome(route, context),
  };
}

async function storedReport(
  { key }: Route,
  mutable: boolean,
  { serve }: ControlContext,
): Promise<StoredReport | null> {
  const entry = await serve.store.find(key);
  if (entry === undefined) return null;
  entry.file.release();
  const meta = mutable ? await serve.meta.read(entry) : undefined;
  const checked = meta === undefined || meta.checked === 0 ? null : meta.checked;
  return {
    file: entry.path,
    size: entry.size,
    modified: entry.mtime * 1000,
    lastUse: Math.round(entry.lastUse),
    checked,
    freshUntil: checked === null ? null : checked + serve.settings().config.mutableTtl,
    source: meta?.source ?? null,
  };
}

function askedSources(
  file: { readonly route: Route; readonly mutable: boolean },
  { serve }: ControlContext,
) {
  const { health } = serve.asking();
  return serve.fills.sourcesFor(file).map((source): AskedSource => {
    return { ...sourceReport(source, health), asks: source.url + file.route.upstreamPath };
  });
}

function isMissing({ key }: Route, { serve }: ControlContext): boolean {
  try {
    serve.fills.refuseMissing(key);
    return false;
  } catch {
    return true;
  }
}

function lastOutcome({ key }: Route, { serve }: ControlContext): OutcomeReport | null {
  const last = serve.fills.lastOutcome(key);
  if (last === undefined) return null;
  const { at, kind, source = null, bytes, reason = null } = last;
  return { at, outcome: kind, source, bytes, reason };
}
