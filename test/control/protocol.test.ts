import test from 'ava';
import { type Argument, type Command, commands } from '../../daemon/control/protocol.ts';
import { PROTOCOL } from '../../daemon/control/wire.ts';

const rows: readonly (readonly [string, Command])[] = Object.entries(commands);
const args: readonly (readonly [string, Argument])[] = rows.flatMap(([name, command]) =>
  command.arguments.map((argument) => [name, argument] as const),
);

test('the version of the protocol is a whole number', (t) => {
  t.true(Number.isInteger(PROTOCOL) && PROTOCOL > 0);
});

test('every command has a name to type, a summary in one line, and help in sentences', (t) => {
  for (const [name, { summary, help }] of rows) {
    t.regex(name, /^[a-z][a-z-]*$/);
    t.regex(summary, /^[a-z].{5,60}[^.]$/, name);
    t.regex(help, /\.$/, name);
  }
});

test('an argument has a name of its own, help, and a value word unless it is a flag', (t) => {
  for (const [command, { name, kind, value, option, help }] of args) {
    const others = args.filter(([of, other]) => of === command && other.name === name);
    t.is(others.length, 1, `${command} ${name}`);
    t.regex(name, /^[a-z][A-Za-z]*$/);
    t.is(value === undefined, kind === 'flag', `${command} ${name}`);
    if (option !== undefined) t.regex(option, /^--[a-z][a-z-]*$/);
    t.true(help.length > 5 && !help.endsWith('.'), `${command} ${name}`);
  }
});

test('a flag is an option, only a choice has choices, and lists are operands', (t) => {
  for (const [command, { name, kind, option, choices }] of args) {
    if (kind === 'flag') t.truthy(option, `${command} ${name}`);
    t.is(choices !== undefined, kind === 'choice', `${command} ${name}`);
    if (kind === 'paths' || kind === 'patterns') t.is(option, undefined);
  }
});

test('a command has one operand at most', (t) => {
  for (const [name, command] of rows) {
    t.true(command.arguments.filter(({ option }) => option === undefined).length <= 1, name);
  }
});
