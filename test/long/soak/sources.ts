import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Answer, type Origin, type OriginRequest, startOrigin } from '../../helpers/origin.ts';
import { createDice, type Dice } from './dice.ts';
import { faulty, honest } from './faults.ts';
import { isKnown } from './known.ts';
import { indexTruth, packageTruth, pageTruth, versionAt } from './truth.ts';

/** Three sources that have the same files, and troubles of their own. */
export interface Sources {
  readonly urls: readonly string[];
  /** Changes the weather of one of them, or has it go down for a moment. */
  change(dice: Dice): Promise<void>;
  /** Breaks every connection, and has all of them do well from now on. */
  calm(): Promise<void>;
  /** Nobody has the end of this file, until it is mended. */
  tear(target: string): () => void;
}

interface Source {
  readonly origin: Origin;
  readonly dice: Dice;
  readonly torn: ReadonlySet<string>;
  /** The share of its answers that are not as they should be. */
  trouble: number;
}

/** How a source may be, from fair to foul. */
const weather = [0, 0, 0.05, 0.05, 0.3, 0.7];

/** Starts them in fair weather. */
export async function startSources(t: ExecutionContext, seed: string): Promise<Sources> {
  const torn = new Set<string>();
  const starting = ['a', 'b', 'c'].map(async (name): Promise<Source> => {
    const origin = await startOrigin(t, { remember: false });
    const source = { origin, dice: createDice(`${seed} ${name}`), torn, trouble: 0 };
    origin.serve('*', (request) => answer(source, request));
    return source;
  });
  const sources = await Promise.all(starting);
  return {
    urls: sources.map(({ origin }) => origin.url),
    change: async (dice) => {
      const source = dice.pick(sources);
      source.trouble = dice.pick(weather);
      if (!dice.chance(0.15)) return;
      await source.origin.stop();
      await pause(dice.below(2000));
      await source.origin.restart();
    },
    calm: async () => {
      for (const source of sources) {
        source.trouble = 0;
        await source.origin.stop();
        await source.origin.restart();
      }
    },
    tear: (target) => {
      torn.add(target);
      return () => torn.delete(target);
    },
  };
}

function answer(source: Source, { target }: OriginRequest): Answer | Promise<Answer> {
  const { dice, trouble, torn } = source;
  if (/\/none-/.test(target)) return { status: 404 };
  if (/[?]|\/$/.test(target)) return page(target);
  const truth = target.startsWith('/dists/')
    ? indexTruth(target, versionAt(Date.now()))
    : packageTruth(target);
  if (torn.has(target)) {
    return { ...honest(truth), cutAfter: Math.ceil(truth.size / 2), ranges: false };
  }
  if (!dice.chance(trouble)) return honest(truth);
  return faulty(truth, dice, { known: isKnown(target) });
}

function page(target: string): Answer {
  return { ...honest(pageTruth(target)), fields: [['Content-Type', 'text/html']] };
}
