import type { HandedControl } from '../system/activation.ts';
import { downloads } from './commands/downloads.ts';
import { cull, ls } from './commands/entries.ts';
import { fetch } from './commands/fetch.ts';
import { importDistdir } from './commands/import.ts';
import { purge } from './commands/purge.ts';
import { logLevel, reload } from './commands/settings.ts';
import { stats, top } from './commands/stats.ts';
import { sources, status } from './commands/status.ts';
import { verify } from './commands/verify.ts';
import { watch } from './commands/watch.ts';
import { why } from './commands/why.ts';
import type { ControlContext } from './context.ts';
import { createDispatch, type Handlers } from './dispatch.ts';
import { type ControlSocket, openSocket } from './socket.ts';
import { PROTOCOL } from './wire.ts';

/** Where the control socket may be, and who may talk to it. */
export interface ControlOptions {
  /** The best place first; undefined when there is to be none. */
  readonly places: readonly string[] | undefined;
  /** One that somebody else has bound, in place of all these. */
  readonly handed?: HandedControl | undefined;
  /** PC_GROUP. */
  readonly group?: string | undefined;
}

/** Opens the control channel: nothing, where no place for its socket can be had. */
export async function openControl(
  { places, handed, group }: ControlOptions,
  context: ControlContext,
): Promise<ControlSocket | undefined> {
  if (places === undefined) return undefined;
  const { version, serve } = context;
  let socket: ControlSocket | undefined;
  const handlers: Handlers = {
    status: () => status(context, socket?.path ?? ''),
    stats: () => stats(context),
    reload: () => reload(context),
    cull: (values, call) => cull(values, call, context),
    ls: (values, call) => ls(values, call, context),
    purge: (values, call) => purge(values, call, context),
    verify: (values, call) => verify(values, call, context),
    fetch: (values, call) => fetch(values, call, context),
    import: (values, call) => importDistdir(values, call, context),
    downloads: (values) => downloads(values, context),
    sources: () => sources(context),
    why: (values) => why(values, context),
    watch: (values, call) => watch(values, call, context),
    top: () => top(context),
    'log-level': (values) => logLevel(values, context),
  };
  socket = await openSocket({
    places,
    handed,
    group,
    maxConnections: () => serve.settings().config.maxControlConnections,
    hello: { protocol: PROTOCOL, version, pid: process.pid },
    answer: createDispatch(handlers, serve.log),
    log: serve.log,
  });
  return socket;
}
