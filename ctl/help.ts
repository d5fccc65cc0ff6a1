import type { CommandName } from '../daemon/control/protocol.ts';
import { table } from './table.ts';
import {
  commandNames,
  commandOf,
  commonOptions,
  type Option,
  operandsOf,
  optionsOf,
} from './usage.ts';

const blank = { heading: '' };

/** The usage text for all commands. */
export function helpText(): string {
  const commands = commandNames.map((name) => [`  ${name}`, commandOf(name).summary]);
  return `Usage: package-cache-ctl [OPTION]... COMMAND [ARGUMENT]...
Asks the package cache of this machine how it is doing, and tells it what to do.

${table([blank, blank], commands)}
${optionLines(commonOptions)}
package-cache-ctl COMMAND --help tells more of each. Without --socket the daemon is looked for at
$PACKAGE_CACHE_SOCKET, /run/package-cache/control.sock and
$XDG_RUNTIME_DIR/package-cache/control.sock.

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon runs.
`;
}

/** The usage text of one command. */
export function commandHelp(name: CommandName): string {
  const { summary, help } = commandOf(name);
  const operands = operandsOf(name).map((argument) => ({
    option: argument.value ?? argument.name,
    help: argument.help,
  }));
  const options = [...operands, ...optionsOf(name)];
  return `Usage: package-cache-ctl ${synopsis(name)}
${summary[0]?.toUpperCase()}${summary.slice(1)}.

${help}
${options.length === 0 ? '' : `\n${optionLines(options)}`}
--json, --quiet and --socket go with every command, see package-cache-ctl --help.
`;
}

/** How a command is typed: `cull [--older-than AGE] [--dry-run]`. */
export function synopsis(name: CommandName): string {
  const options = optionsOf(name).map((option) => `[${typed(option)}]`);
  const operands = operandsOf(name).map(({ name: field, kind, value = field, required }) => {
    const many = kind === 'paths' || kind === 'patterns' ? '...' : '';
    return required === true ? `${value}${many}` : `[${value}]${many}`;
  });
  return [name, ...options, ...operands].join(' ');
}

function optionLines(options: readonly Option[]): string {
  return table(
    [blank, blank],
    options.map((option) => [`  ${typed(option)}`, option.help]),
  );
}

function typed({ option, value }: Option): string {
  return option.startsWith('--') && value !== undefined ? `${option} ${value}` : option;
}
