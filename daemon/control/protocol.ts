// What the daemon and package-cache-ctl say to each other: JSON-RPC 2.0, one object a message, no
// batches, over WebSocket on a Unix socket. The daemon speaks first and says hello. Then either
// side may talk: the client sends requests, the daemon answers each one, and sends notifications
// that carry the request's id while it works. The codes and limits stand in wire.ts,
// the messages in messages.ts, the answers in reports.ts.
//
// Sizes are bytes, times milliseconds since the epoch, durations milliseconds, all as numbers; what
// is not there is null. A client's own ages and sizes travel as the text that was typed (`90d`,
// `200G`), and the daemon reads them.

/**
 * What an argument holds: `flag` travels as true or false, `paths` and `patterns` as a list of
 * texts, every other kind as one text.
 */
export type ArgumentKind =
  | 'flag'
  /** `90d`: units ms s m h d w y. */
  | 'age'
  /** `200G`: units K M G T. */
  | 'size'
  /** As in IMMUTABLE: `distfiles/**`. */
  | 'glob'
  /** As `ls` prints it, or a URL. */
  | 'path'
  | 'paths'
  /** On the daemon's machine, absolute. */
  | 'directory'
  /** Paths and globs. */
  | 'patterns'
  /** One of `choices`. */
  | 'choice';

/** One argument of a command. */
export interface Argument {
  /** The name of its field in `params`. */
  readonly name: string;
  readonly kind: ArgumentKind;
  /** As it is typed, for an option; without one it is an operand. */
  readonly option?: string;
  /** What stands for its value in the usage; a flag has none. */
  readonly value?: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  readonly help: string;
}

/** One command. */
export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** A few sentences more, for `--help` and the manual. */
  readonly help: string;
  readonly arguments: readonly Argument[];
  /** What comes before the answer. */
  readonly sends: readonly ('rows' | 'progress' | 'events')[];
}

/** Every command, in the order in which the usage lists them. */
export const commands = {
  status: {
    summary: 'what the daemon is and how it is doing',
    help: 'Exits 0 while a daemon runs, and 3 when none does.',
    arguments: [],
    sends: [],
  },
  stats: {
    summary: 'what it has served and saved, and what a cull would free',
    help: 'Counters since the start and over the lifetime, and the entries by age of last use.',
    arguments: [],
    sends: [],
  },
  reload: {
    summary: 'read the configuration again',
    help: 'Drops no connection and no download. A file that is wrong changes nothing.',
    arguments: [],
    sends: [],
  },
  cull: {
    summary: 'remove what has not been used for long',
    help: 'Removes entries by last use, the oldest first; give an age, a size, or both.',
    arguments: [
      {
        name: 'olderThan',
        kind: 'age',
        option: '--older-than',
        value: 'AGE',
        help: 'what nobody has asked for in so long, such as 90d (units s m h d w y)',
      },
      {
        name: 'toSize',
        kind: 'size',
        option: '--to-size',
        value: 'SIZE',
        help: 'until no more than this is left, such as 200G (units K M G T)',
      },
      {
        name: 'path',
        kind: 'glob',
        option: '--path',
        value: 'GLOB',
        help: 'look at matching files only',
      },
      { name: 'dryRun', kind: 'flag', option: '--dry-run', help: 'remove nothing, list the files' },
      { name: 'list', kind: 'flag', option: '--list', help: 'list the files that are removed' },
    ],
    sends: ['rows', 'progress'],
  },
  ls: {
    summary: 'list what is stored',
    help: 'Lists path, size, last use, and whether the name may change.',
    arguments: [
      { name: 'path', kind: 'glob', value: 'GLOB', help: 'matching files only' },
      {
        name: 'sort',
        kind: 'choice',
        option: '--sort',
        value: 'KEY',
        choices: ['path', 'size', 'used'],
        help: 'by path (the default), size (largest first) or used (oldest first)',
      },
    ],
    sends: ['rows'],
  },
  purge: {
    summary: 'remove named files, however new they are',
    help: 'The next request downloads them again. Exits 1 if nothing matched.',
    arguments: [
      {
        name: 'patterns',
        kind: 'patterns',
        value: 'PATH|GLOB',
        required: true,
        help: 'as ls prints it, or a glob such as distfiles/**',
      },
    ],
    sends: ['rows', 'progress'],
  },
  verify: {
    summary: 'read files again and compare them with the Manifests',
    help: 'Lists what is wrong, and exits 1 if anything is.',
    arguments: [
      { name: 'repair', kind: 'flag', option: '--repair', help: 'fetch what is wrong anew' },
      {
        name: 'rate',
        kind: 'size',
        option: '--rate',
        value: 'SIZE',
        help: 'read no more than this in a second, such as 20M (100M if nothing is said)',
      },
      { name: 'path', kind: 'glob', value: 'GLOB', help: 'matching files only' },
    ],
    sends: ['rows', 'progress'],
  },
  fetch: {
    summary: 'download files before somebody asks for them',
    help: 'Takes paths as ls prints them, and URLs; - reads them from standard input.',
    arguments: [
      {
        name: 'paths',
        kind: 'paths',
        value: 'PATH',
        required: true,
        help: 'what to fetch; what is stored already is left alone',
      },
    ],
    sends: ['rows', 'progress'],
  },
  import: {
    summary: 'take over the files of a DISTDIR',
    help: 'Takes what the Manifests name, once it is verified; what is stored is left alone.',
    arguments: [
      {
        name: 'directory',
        kind: 'directory',
        value: 'DIR',
        required: true,
        help: 'a directory of distfiles; those below it are not looked at',
      },
      { name: 'link', kind: 'flag', option: '--link', help: 'share the files, copy nothing' },
      {
        name: 'unverified',
        kind: 'flag',
        option: '--unverified',
        help: 'take what no Manifest names, too, as it is',
      },
    ],
    sends: ['rows', 'progress'],
  },
  downloads: {
    summary: 'what is being downloaded now',
    help: 'Shows progress, rate, source and clients of every download.',
    arguments: [
      {
        name: 'cancel',
        kind: 'path',
        option: '--cancel',
        value: 'PATH',
        help: 'give this download up; its clients are told',
      },
    ],
    sends: [],
  },
  sources: {
    summary: 'how the sources are doing',
    help: 'Shows the state of every source, why and since when, its latency and its bytes.',
    arguments: [],
    sends: [],
  },
  why: {
    summary: 'explain what happens to a path',
    help: 'Shows its key, how it is classified and by which rule, what is stored, which sources\nwould be asked, and what happened last.',
    arguments: [
      { name: 'path', kind: 'path', value: 'PATH', required: true, help: 'a path or a URL' },
    ],
    sends: [],
  },
  watch: {
    summary: 'show what happens, as it happens',
    help: 'One line an event, until it is interrupted.',
    arguments: [
      { name: 'requests', kind: 'flag', option: '--requests', help: 'every request as well' },
    ],
    sends: ['events'],
  },
  top: {
    summary: 'a live screen of downloads, rates and hit ratio',
    help: 'q leaves it.',
    arguments: [],
    sends: [],
  },
  'log-level': {
    summary: 'show or change how much the log tells',
    help: 'Holds until the next reload or restart; without LEVEL it shows the level in force.',
    arguments: [
      {
        name: 'level',
        kind: 'choice',
        value: 'LEVEL',
        choices: ['error', 'warn', 'info', 'debug'],
        help: 'error, warn, info or debug',
      },
    ],
    sends: [],
  },
} as const satisfies Readonly<Record<string, Command>>;

/** The name of a command, and of its method. */
export type CommandName = keyof typeof commands;
