import { globPattern } from '../cache/policy.ts';
import { CacheError } from '../errors.ts';
import { parseDuration, parseSize } from '../units.ts';
import { type Argument, type CommandName, commands } from './protocol.ts';

type Row<N extends CommandName> = (typeof commands)[N]['arguments'][number];

type ValueOf<A extends Argument> = A['kind'] extends 'flag'
  ? boolean
  : A['kind'] extends 'age' | 'size'
    ? number
    : A['kind'] extends 'paths' | 'patterns'
      ? readonly string[]
      : A extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** The arguments of a command, read: ages in milliseconds, sizes in bytes. */
export type Values<N extends CommandName> = {
  readonly [A in Row<N> as A extends { readonly required: true } ? A['name'] : never]: ValueOf<A>;
} & {
  readonly [A in Row<N> as A extends { readonly required: true } ? never : A['name']]?: ValueOf<A>;
};

/** An argument that a command does not take as it is. */
export class BadArgument extends Error {
  override readonly name = 'BadArgument';
  /** Its name in `params`. */
  readonly argument: string;

  constructor(argument: string, reason: string) {
    super(reason);
    this.argument = argument;
  }
}

/** Reads the arguments of a command. @throws BadArgument that names the one and says why */
export function readValues<N extends CommandName>(
  name: N,
  params: Readonly<Record<string, unknown>>,
): Values<N> {
  const rows: readonly Argument[] = commands[name].arguments;
  for (const given of Object.keys(params)) {
    if (!rows.some((row) => row.name === given)) {
      throw new BadArgument(given, `${name} takes no argument "${given}"`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const row of rows) {
    const given = params[row.name];
    if (given !== undefined) values[row.name] = readValue(row, given);
    else if (row.required === true) throw new BadArgument(row.name, `${spelled(row)} is missing`);
  }
  // The table says what each holds, and so does the type.
  return values as Values<N>;
}

function readValue(row: Argument, given: unknown): unknown {
  if (row.kind === 'flag') {
    if (typeof given === 'boolean') return given;
    throw new BadArgument(row.name, `${spelled(row)} is true or false`);
  }
  if (row.kind === 'paths' || row.kind === 'patterns') {
    const isList = Array.isArray(given) && given.every((item) => typeof item === 'string');
    if (isList && given.length > 0) return given;
    throw new BadArgument(row.name, `${spelled(row)} is a list of texts, one at least`);
  }
  if (typeof given !== 'string') throw new BadArgument(row.name, `${spelled(row)} is a text`);
  return readText(row, given);
}

function readText(row: Argument, text: string): unknown {
  try {
    switch (row.kind) {
      case 'age':
        return parseDuration(withUnit(text, '90d'));
      case 'size':
        return parseSize(text === '0' ? text : withUnit(text, '200G'));
      case 'glob':
        globPattern(text);
        return text;
      case 'choice':
        return oneOf(row.choices ?? [], text);
      default:
        return text;
    }
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    throw new BadArgument(row.name, `${spelled(row)} "${text}": ${error.reason}`);
  }
}

// 90 for 90 days, or 200 for 200 gigabytes, would empty the cache.
function withUnit(text: string, example: string): string {
  return /^[\d.\s]*$/.test(text) ? refuse(text, `write it with a unit, such as ${example}`) : text;
}

function oneOf(choices: readonly string[], text: string): string {
  return choices.includes(text) ? text : refuse(text, `it is none of ${choices.join(', ')}`);
}

function refuse(text: string, reason: string): never {
  throw new CacheError('usage', { verb: 'use', thing: text, reason });
}

function spelled({ option, value, name }: Argument): string {
  return option ?? value ?? name;
}
