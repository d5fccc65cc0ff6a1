import type { ExecutionContext } from 'ava';
import type { Config } from '../../daemon/config/config.ts';
import { CacheError } from '../../daemon/errors.ts';
import type { CullOrder } from '../../daemon/room/cull.ts';
import type { Disk } from '../../daemon/room/disk.ts';
import { createRoom, type Room } from '../../daemon/room/room.ts';
import { makeCache } from './cache.ts';
import { type TestClock, testClock } from './clock.ts';

/** A mebibyte. */
export const M = 1024 ** 2;

/** A disk and a census that obey the test. */
export interface World {
  /** Bytes the disk has left. */
  free: number;
  entries: number;
  maxSize?: number;
  minFree: Config['minFree'];
  /** What culling to a size does to the entries. */
  cull: (order: CullOrder) => Promise<unknown>;
  /** How many entries it says that it removed, when that is not to be seen by their bytes. */
  culled?: number;
  /** What a walk finds. */
  counted?: number;
}

/** A room in such a world. */
export interface Scene {
  readonly world: World;
  readonly room: Room;
  readonly clock: TestClock;
  readonly root: string;
  readonly lines: string[];
  readonly orders: CullOrder[];
  looks(): number;
}

/** A disk of 10,000M with 1,000M left, of which 100M must stay free. */
export async function roomIn(t: ExecutionContext, given: Partial<World> = {}): Promise<Scene> {
  const { root, layout } = await makeCache(t);
  const clock = testClock();
  const lines: string[] = [];
  const orders: CullOrder[] = [];
  let looks = 0;
  const world: World = {
    free: 1000 * M,
    entries: 0,
    minFree: { bytes: 100 * M },
    cull: async ({ downTo = Infinity }) => {
      world.free += Math.max(0, world.entries - downTo);
      world.entries = Math.min(world.entries, downTo);
    },
    ...given,
  };
  const room = createRoom({
    layout,
    census: {
      totals: () => ({ entries: 1, bytes: world.entries }),
      cutOff: (bytes) => bytes,
      correct: async () => {
        world.entries = world.counted ?? world.entries;
        return { startedAt: 0, rows: [], recent: new Map(), failed: 0, problems: [] };
      },
    },
    cull: async (order) => {
      orders.push(order);
      const { entries } = world;
      await world.cull(order);
      return { entries: world.culled ?? Number(world.entries < entries) };
    },
    limits: () => world,
    changed: (line) => lines.push(line),
    clock,
    measure: async (): Promise<Disk> => {
      looks += 1;
      return { size: 10_000 * M, free: world.free };
    },
  });
  return { world, room, clock, root, lines, orders, looks: () => looks };
}

/** The error of a reservation that is refused. */
export async function refused(
  t: ExecutionContext,
  reservation: Promise<unknown>,
): Promise<CacheError> {
  const error = await t.throwsAsync(reservation, { instanceOf: CacheError });
  t.is(error.code, 'no-room');
  return error;
}
