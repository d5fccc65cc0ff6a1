import { parseArgs } from 'node:util';
import {
  type Argument,
  type Command,
  type CommandName,
  commands,
} from '../daemon/control/protocol.ts';
import { misused } from './failure.ts';
import { suggestion } from './nearest.ts';

/** What the command line asks for. */
export type Order =
  | { readonly action: 'help'; readonly command?: CommandName }
  | { readonly action: 'version'; readonly socket?: string }
  | {
      readonly action: 'run';
      readonly command: CommandName;
      readonly params: Readonly<Record<string, Value>>;
      readonly json: boolean;
      readonly quiet: boolean;
      readonly socket?: string;
    };

type Value = string | boolean | readonly string[];

/** An option as it is typed, and what of it the help says. */
export interface Option {
  readonly option: string;
  /** What stands for its value; a flag has none. */
  readonly value?: string;
  readonly help: string;
}

/** The options that go with every command. */
export const commonOptions = [
  { option: '--json', help: 'print the answer as JSON, for scripts' },
  { option: '--quiet', help: 'print nothing but errors, for cron' },
  { option: '--socket', value: 'PATH', help: 'the socket of the daemon' },
  { option: '--version', help: 'print the versions of both programs, and end' },
  { option: '--help', help: 'print this, or after a command what it does, and end' },
] as const satisfies readonly Option[];

/** The names of all commands, in the order of the table. */
export const commandNames = Object.keys(commands) as readonly CommandName[];

/** What the table says of a command. */
export function commandOf(name: CommandName): Command {
  return commands[name];
}

/** A command's own options. */
export function optionsOf(name: CommandName): readonly (Argument & Option)[] {
  return commandOf(name).arguments.filter((argument) => isOption(argument));
}

/** What a command takes without an option. */
export function operandsOf(name: CommandName): readonly Argument[] {
  return commandOf(name).arguments.filter((argument) => !isOption(argument));
}

/**
 * The command line without the program's own name.
 *
 * @throws ControlFailure `usage` in one sentence.
 */
export function parseUsage(argv: readonly string[]): Order {
  const { options, positionals } = collect(argv);
  const given = (option: string) => options.findLast(({ name }) => name === option);
  const [word, ...operands] = positionals;
  const command = word === undefined ? undefined : findCommand(word);
  if (given('--help')) return { action: 'help', ...(command === undefined ? {} : { command }) };
  const path = given('--socket')?.value;
  const socket = path === undefined ? {} : { socket: path };
  if (given('--version')) return { action: 'version', ...socket };
  if (command === undefined) throw misused('package-cache-ctl', 'it wants a command, see --help');
  const [json, quiet] = [given('--json') !== undefined, given('--quiet') !== undefined];
  if (json && quiet) throw misused('--quiet', 'it does not go with --json');
  const params = { ...optionParams(command, options), ...operandParams(command, operands) };
  return { action: 'run', command, params, json, quiet, ...socket };
}

interface Given {
  readonly name: string;
  readonly value: string | undefined;
}

function isOption(argument: Argument): argument is Argument & Option {
  return argument.option !== undefined;
}

// Whether an option takes a value is known before its command is: no two commands differ in that.
function collect(argv: readonly string[]) {
  const known: readonly Option[] = [...commonOptions, ...commandNames.flatMap(optionsOf)];
  const config = Object.fromEntries(
    known.map(({ option, value }) => [
      option.slice(2),
      { type: value === undefined ? 'boolean' : 'string' } as const,
    ]),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options: Given[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const row = known.find(({ option }) => option === token.rawName);
    if (row === undefined) throw unknownOption(token.rawName, positionals[0]);
    options.push({ name: row.option, value: optionValue(row, token) });
  }
  return { options, positionals };
}

interface Token {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function optionValue({ option, value: wanted }: Option, { value, inlineValue }: Token) {
  if (wanted === undefined) {
    if (value !== undefined) throw misused(option, 'it takes no value');
    return undefined;
  }
  // `--path --dry-run` has lost a value; `--path=--dry-run` says that it means it.
  if (value === undefined || value === '' || (!inlineValue && value.startsWith('-'))) {
    throw misused(option, `its value (${wanted}) is missing`);
  }
  return value;
}

function unknownOption(written: string, word: string | undefined) {
  const command = commandNames.find((name) => name === word);
  const own = command === undefined ? commandNames.flatMap(optionsOf) : optionsOf(command);
  const candidates = [...own, ...commonOptions].map(({ option }) => option);
  const near = suggestion(written, candidates);
  const help = command === undefined ? '--help' : `${command} --help`;
  return misused(written, `unknown option${near === '' ? `, see ${help}` : near}`);
}

function findCommand(word: string): CommandName {
  const command = commandNames.find((name) => name === word);
  if (command !== undefined) return command;
  const meant = commonOptions.find(({ option }) => option === `--${word}`)?.option;
  const near = meant === undefined ? suggestion(word, commandNames) : `, did you mean ${meant}?`;
  throw misused(word, `unknown command${near === '' ? ', see --help' : near}`);
}

function optionParams(command: CommandName, given: readonly Given[]): Record<string, Value> {
  const params: Record<string, Value> = {};
  const own = optionsOf(command);
  for (const { name, value } of given) {
    if (commonOptions.some(({ option }) => option === name)) continue;
    const argument = own.find(({ option }) => option === name);
    if (argument === undefined) throw misused(name, `${command} has no such option`);
    params[argument.name] = value === undefined ? true : checked(argument, value);
  }
  return params;
}

function operandParams(command: CommandName, operands: readonly string[]): Record<string, Value> {
  const [argument] = operandsOf(command);
  if (argument === undefined) {
    if (operands[0] === undefined) return {};
    throw misused(
      operands[0],
      `${command} takes no ${command === 'cull' ? 'path but with --path' : 'operand'}`,
    );
  }
  const { name, kind, value = name, required } = argument;
  if (operands[0] === undefined) {
    if (required !== true) return {};
    throw misused(command, `it wants ${value}, see ${command} --help`);
  }
  if (operands.some((operand) => operand === '')) throw misused(command, `an empty ${value}`);
  if (kind === 'paths' || kind === 'patterns') return { [name]: operands };
  if (operands[1] !== undefined) throw misused(operands[1], `${command} takes one ${value} only`);
  return { [name]: checked(argument, operands[0]) };
}

function checked({ name, option = name, choices }: Argument, value: string): string {
  if (choices === undefined || choices.includes(value)) return value;
  const near = suggestion(value, choices);
  const thing = option.startsWith('--') ? `${option} ${value}` : value;
  throw misused(thing, `write one of ${choices.join(' ')}${near}`);
}
