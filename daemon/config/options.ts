import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CacheError } from '../errors.ts';
import { parseHosts, parsePort } from './addresses.ts';
import type { Settings } from './key-names.ts';
import { suggestion } from './nearest.ts';
import { located } from './refuse.ts';
import { withoutCredentials } from './source-url.ts';
import { sourcesOf } from './sources.ts';
import { parseCacheDirectory } from './values.ts';

/** The settings that the command line can make. */
export type OptionSettings = Pick<
  Settings,
  'sources' | 'cacheDir' | 'hosts' | 'port' | 'logLevel'
> & { readonly syslog?: boolean };

/** What the command line asks for. */
export type Options =
  | { readonly action: 'help' }
  | { readonly action: 'version' }
  | {
      readonly action: 'run' | 'check';
      /** The absolute path of the configuration file; without it no file is read. */
      readonly config?: string;
      /** What was given, and nothing else: it wins over the file. */
      readonly settings: OptionSettings;
    };

interface OptionRow {
  /** What stands for the value, of an option that takes one. */
  readonly value?: string;
  readonly help: string;
}

const rows = {
  source: {
    value: 'URL',
    help: 'fetch from here and not from SOURCES; repeat it for more, tried in order',
  },
  cache: { value: 'DIR', help: 'store the packages here' },
  host: { value: 'ADDRESS', help: 'listen on this address (127.0.0.1)' },
  port: { value: 'PORT', help: 'listen on this port (4000); 0 takes any that is free' },
  config: { value: 'FILE', help: 'read this file; without it no file is read' },
  'check-config': { help: 'say whether the configuration is right, and end' },
  syslog: { help: 'log to syslog and not to standard error' },
  verbose: { help: 'log everything (LOG_LEVEL debug)' },
  version: { help: 'print the version, and end' },
  help: { help: 'print this, and end' },
} as const satisfies Readonly<Record<string, OptionRow>>;

type OptionName = keyof typeof rows;

/** The values of each option that was given; of one without a value, an empty text. */
type Given = ReadonlyMap<OptionName, readonly string[]>;

/**
 * The command line without the program's own name; relative paths are below `directory`.
 *
 * @throws CacheError `usage` in one sentence, for anything that is no option.
 */
export function parseOptions(argv: readonly string[], directory = process.cwd()): Options {
  const given = collect(argv);
  if (given.has('help')) return { action: 'help' };
  if (given.has('version')) return { action: 'version' };
  const config = given.get('config')?.at(-1);
  return {
    action: given.has('check-config') ? 'check' : 'run',
    ...(config === undefined ? {} : { config: resolve(directory, config) }),
    settings: settingsOf(given, (path) => resolve(directory, path)),
  };
}

/**
 * Options that come from PC_OPTS: the settings alone, for what they would do instead of running
 * is decided before the file is read. A file has no directory to be relative to.
 */
export function parseOptionSettings(argv: readonly string[]): OptionSettings {
  const given = collect(argv);
  for (const name of ['config', 'check-config', 'help', 'version'] as const) {
    if (given.has(name)) throw misused(`--${name}`, 'it belongs on the command line');
  }
  return settingsOf(given, (path) => path);
}

/** The usage text for people. */
export function helpText(): string {
  const options = optionNames.map((name) => {
    const { value, help }: OptionRow = rows[name];
    return `  ${`--${name} ${value ?? ''}`.padEnd(17)} ${help}`;
  });
  return `Usage: package-cache [OPTION]...
A caching proxy for package downloads: what one machine has fetched, the others get from disk.

${options.join('\n')}

The services read /etc/conf.d/package-cache, which lists every key with its default. An option
wins over the file, the file over the defaults.

Exit status: 0 done, 78 the configuration or the command line is wrong (EX_CONFIG).
`;
}

const optionNames = Object.keys(rows) as readonly OptionName[];

function collect(argv: readonly string[]): Given {
  const options = Object.fromEntries(
    optionNames.map((name) => [name, { type: takesValue(name) ? 'string' : 'boolean' } as const]),
  );
  // Its own strict mode would echo what may hold a password.
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<OptionName, string[]>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      throw misused(withoutCredentials(token.value), 'it is no option, see --help');
    }
    const name = knownOption(token.name, token.rawName);
    given.set(name, [...(given.get(name) ?? []), optionValue(name, token)]);
  }
  return given;
}

function knownOption(name: string, written: string): OptionName {
  const known = optionNames.find((option) => option === name);
  // A short option is none of ours, even one that a long one is named like.
  if (known !== undefined && written.startsWith('--')) return known;
  const near = suggestion(
    written,
    optionNames.map((option) => `--${option}`),
  );
  throw misused(written, `unknown option${near === '' ? ', see --help' : near}`);
}

function optionValue(
  name: OptionName,
  { value, inlineValue }: { value?: string | undefined; inlineValue?: boolean | undefined },
): string {
  if (!takesValue(name)) {
    if (value !== undefined) throw misused(`--${name}`, 'it takes no value');
    return '';
  }
  // `--cache --verbose` has lost a value; `--cache=--verbose` says that it means it.
  const missing = value === undefined || value === '' || (!inlineValue && value.startsWith('-'));
  if (missing) throw misused(`--${name}`, 'its value is missing');
  return value;
}

function takesValue(name: OptionName): boolean {
  const row: OptionRow = rows[name];
  return row.value !== undefined;
}

function settingsOf(given: Given, absolute: (path: string) => string): OptionSettings {
  const last = <T>(name: OptionName, parse: (text: string) => T): T | undefined => {
    const text = given.get(name)?.at(-1);
    return text === undefined ? undefined : parsed(name, () => parse(text));
  };
  const cacheDir = last('cache', (text) => parseCacheDirectory(absolute(text)));
  const hosts = last('host', parseHosts);
  const port = last('port', parsePort);
  const urls = given.get('source');
  return {
    ...(urls === undefined ? {} : { sources: parsed('source', () => sourcesOf(urls)) }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(port === undefined ? {} : { port }),
    ...(given.has('verbose') ? { logLevel: 'debug' as const } : {}),
    ...(given.has('syslog') ? { syslog: true } : {}),
  };
}

function parsed<T>(name: OptionName, parse: () => T): T {
  return located(parse, (cause) => misused(`--${name}`, cause.reason, cause));
}

function misused(thing: string, reason: string, cause?: CacheError): CacheError {
  return new CacheError('usage', { verb: 'use', thing, reason, cause });
}
