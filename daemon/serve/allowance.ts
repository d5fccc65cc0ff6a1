/** The keys that decide how many files and sockets are open at a time. */
export interface Demands {
  readonly maxConnections: number;
  readonly maxFills: number;
  readonly maxControlConnections: number;
}

/** Files that are kept open for the next request, and whole ones that wait for the disk. */
const KEPT = 1 / 4;
/** Connections that are about to be refused, listening sockets, logs, and Node's own. */
const SPARE = 128;
/** So many connections are let in, come what may. */
const FEWEST = 16;

/**
 * How many connections a process may let in that may have so many files open, two for each while a
 * file is sent: beyond them, accept(2) would fail.
 */
export function connectionsWithin(descriptors: number, demands: Demands): number {
  const rest = descriptors * (1 - KEPT) - Math.max(descriptors / 4, othersOf(demands));
  return Math.min(demands.maxConnections, Math.max(FEWEST, Math.floor(rest / 2)));
}

/** Why fewer connections are let in than MAX_CONNECTIONS says, if that is so. */
export function connectionDoubt(descriptors: number, demands: Demands): string | undefined {
  const { maxConnections } = demands;
  const possible = connectionsWithin(descriptors, demands);
  if (possible >= maxConnections) return undefined;
  const wanted = (2 * maxConnections + othersOf(demands)) / (1 - KEPT);
  const enough = Math.max(4 * maxConnections, Math.ceil(wanted));
  const limit = `with ${descriptors} open files ${possible} connections are let in`;
  const way = `raise that limit to ${enough} (ulimit -n, LimitNOFILE= of a unit, rc_ulimit)`;
  return `Cannot keep to MAX_CONNECTIONS "${maxConnections}": ${limit}; ${way}`;
}

function othersOf({ maxFills, maxControlConnections }: Demands): number {
  return 2 * maxFills + 2 * maxControlConnections + SPARE;
}
