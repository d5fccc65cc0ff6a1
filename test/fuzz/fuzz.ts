import type { ExecutionContext } from 'ava';
import { Random } from './random.ts';

/** What is tried, and what must hold. */
export interface Property<Case> {
  readonly make: (random: Random) => Case;
  /** Throws when the case shows a bug; returns what kind of case it was. */
  readonly check: (made: Case) => string;
  /** Each of these kinds is at least so large a part of all cases: else it is a test of nothing. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** Which cases to run: CASES and SEED of the environment. */
export interface Cases {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

// The same cases every time, so that a change fails for what it did; others are tried at length.
const DEFAULT_SEED = 1;
const DEFAULT_CASES = 100_000;
/** Characters of a case, and of what is wrong with it. */
const MOST_SHOWN = 2000;

/** CASES says how many, SEED which ones: `SEED=1` a series, `SEED=1:17` the one with that number. */
export function casesToRun({ CASES, SEED }: NodeJS.ProcessEnv = process.env): Cases {
  const count = CASES === undefined ? DEFAULT_CASES : wholeNumber('CASES', CASES);
  if (SEED === undefined) return { seed: DEFAULT_SEED, first: 0, count };
  const [seed = '', only] = SEED.split(':');
  return only === undefined
    ? { seed: wholeNumber('SEED', seed), first: 0, count }
    : { seed: wholeNumber('SEED', seed), first: wholeNumber('SEED', only), count: 1 };
}

/** Runs a property; the failure names the case, and how to run it again. */
export function holds<Case>(t: ExecutionContext, property: Property<Case>): void {
  const { seed, first, count } = casesToRun();
  const counted = new Map<string, number>();
  for (let number = first; number < first + count; number += 1) {
    const made = property.make(new Random(seed, number));
    const kind = named({ seed, number }, made, () => property.check(made));
    counted.set(kind, (counted.get(kind) ?? 0) + 1);
  }
  tellKinds(t, counted, property.kinds);
}

/** Fails when there were too few of a kind, or one that nobody expects. */
export function tellKinds(
  t: ExecutionContext,
  counted: ReadonlyMap<string, number>,
  kinds: Readonly<Record<string, number>>,
): void {
  t.log([...counted].map(([kind, count]) => `${count} ${kind}`).join(', '));
  const total = [...counted.values()].reduce((sum, count) => sum + count, 0);
  t.deepEqual(
    [...counted.keys()].filter((kind) => !(kind in kinds)),
    [],
  );
  // Of a few cases, as when one is run again, nothing can be said.
  if (total < 1000) return;
  for (const [kind, part] of Object.entries(kinds)) {
    const count = counted.get(kind) ?? 0;
    t.true(count >= part * total, `${count} of ${total} cases are ${kind}: they test too little`);
  }
}

/** What `run` returns; its failure names the case, and how to run it again. */
export function named<Result>(
  { seed, number }: { readonly seed: number; readonly number: number },
  made: unknown,
  run: () => Result,
): Result {
  try {
    return run();
  } catch (cause) {
    const what = `Case ${number} of seed ${seed} fails (SEED=${seed}:${number} runs it again)`;
    const { message } = cause as Error;
    throw new Error(`${what}: ${shown(made)}\n${message.slice(0, MOST_SHOWN)}`);
  }
}

/** A case as a JavaScript literal, or the beginning of it. */
function shown(made: unknown): string {
  const text = JSON.stringify(made);
  const part = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return part.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} is no whole number: ${text}`);
  return Number(text);
}
