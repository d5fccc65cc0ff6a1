import { parseArgs } from 'node:util';
import type { Scenario } from './stage.ts';

/** What the command line asks for. */
export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly rounds: number;
  readonly files: number;
  readonly scenarios: readonly Scenario[];
  /** Where the figures are written as JSON. */
  readonly json: string;
  /** Where the caches of the bench lie; undefined for the system's temporary directory. */
  readonly directory: string | undefined;
}

/** @throws Error in one sentence, for anything that is no option. */
export function readOptions(argv: readonly string[], all: readonly Scenario[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      files: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string', default: 'bench.json' },
      dir: { type: 'string' },
    },
  });
  const { help, quick, json, dir } = values;
  return {
    help,
    quick,
    rounds: count('rounds', values.rounds ?? (quick ? '2' : '5')),
    files: count('files', values.files ?? (quick ? '20000' : '200000')),
    scenarios: values.only === undefined ? all : choose(values.only, all),
    json,
    directory: dir,
  };
}

/** What `--help` prints. */
export function helpText(all: readonly Scenario[]): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  const scenarios = all.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`);
  return `Usage: npm run bench -- [options]

Measures the daemon, and nginx if it is installed, and prints a table.

  --quick          two minutes at most instead of ten
  --only A,B       these scenarios alone
  --rounds N       rounds of each scenario (5; quick: 2), as far as its time allows
  --files N        files in the cache of start and cull (200000; quick: 20000)
  --json FILE      where the figures go with all their values (bench.json)
  --dir DIR        where the caches lie meanwhile (the system's temporary directory)

Scenarios:
${scenarios.join('\n')}
`;
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`Cannot use --${name} "${text}": it is no positive whole number`);
}

function choose(text: string, all: readonly Scenario[]): readonly Scenario[] {
  const names = text.split(',').filter(Boolean);
  const unknown = names.find((name) => !all.some((scenario) => scenario.name === name));
  if (unknown !== undefined || names.length === 0) {
    const known = all.map(({ name }) => name).join(', ');
    throw new Error(`Cannot use --only "${unknown ?? text}": the scenarios are ${known}`);
  }
  return all.filter(({ name }) => names.includes(name));
}
