import type { ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import type { Daemon } from '../helpers/daemon.ts';
import type { Field } from '../helpers/fields.ts';
import { type Answer, bodyOf, type Gate, gate, type Origin } from '../helpers/origin.ts';
import type { Repository } from './repositories.ts';

/** A file that takes long. */
export const size = 1_000_000;
/** Its bytes. */
export const body = bodyOf('iso', size);
/** Its name. */
export const path = 'distfiles/aa/dvd-1.iso.xz';
/** So much of it is there; at that pace the end is more than 20 s away, and `near` is not. */
export const there = 20_000;
/** See `there`. */
export const near = 100_000;
/** See `there`. */
export const far = 900_000;

/** The whole as far as the gate, and something else for a range. */
export function serve(origin: Origin, ranged: Answer = {}, whole: Answer = {}): Gate {
  const held = gate();
  origin.serve(path, ({ headerOf }) =>
    headerOf('range') === undefined
      ? { body, chunks: { gate: held, after: there }, ...whole }
      : { body, ...ranged },
  );
  return held;
}

/** Starts a fill that stops at the gate, and asks for a part of what is not there yet. */
export async function askBeyond(
  t: ExecutionContext,
  { daemon, repository }: { daemon: Pick<Daemon, 'port'>; repository: Repository },
  ...fields: Field[]
) {
  const { port } = daemon;
  const target = `/${repository.name}/${path}`;
  const first = open({ port, target, t });
  await first.head;
  const ask = (more: { method?: string } = {}) => open({ port, target, fields, t, ...more });
  return { first, ask, stream: ask() };
}

/** A Range field. */
export function range(value: string): Field {
  return ['Range', `bytes=${value}`];
}

/** The ranges a source was asked for. */
export function rangesOf({ requests }: Origin): string[] {
  return requests.flatMap(({ headerOf }) => headerOf('range') ?? []);
}
