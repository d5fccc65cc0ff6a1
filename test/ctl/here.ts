import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { run } from '../../ctl/run.ts';

/** The time it is for whoever runs here. */
export const someNow = Date.UTC(2026, 10, 22, 20, 0, 0);

/** How to run the program inside the test, which is quicker than a process. */
export interface HereOptions {
  readonly socket?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Which streams are terminals. */
  readonly terminal?: boolean;
  readonly stop?: AbortSignal;
  /** `someNow` when nothing is said. */
  readonly now?: () => number;
}

/** What came of it. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A program under way. */
export interface Here {
  readonly ended: Promise<Outcome>;
  readonly stdin: PassThrough;
  /** Settles once standard output holds the text. */
  shows(text: string): Promise<void>;
  readonly raw: readonly boolean[];
  resize(columns: number, rows: number): void;
  out(): string;
}

/** Runs the program to its end. */
export async function here(args: readonly string[], options: HereOptions = {}): Promise<Outcome> {
  const running = begin(args, options);
  running.stdin.end(options.stdin ?? '');
  return running.ended;
}

/** Starts the program, whose standard input stays open. */
export function begin(args: readonly string[], options: HereOptions = {}): Here {
  const { socket, env = {}, terminal = false, stop = new AbortController().signal } = options;
  const [stdout, stderr] = [capture(terminal), capture(terminal)];
  const raw: boolean[] = [];
  const stdin = new PassThrough();
  Object.assign(stdin, { isTTY: terminal, setRawMode: (on: boolean) => raw.push(on) });
  const ended = run({
    argv: socket === undefined ? args : ['--socket', socket, ...args],
    env,
    stdin: stdin as unknown as ReadStream,
    stdout: stdout.stream,
    stderr: stderr.stream,
    stop,
    now: options.now ?? (() => someNow),
  }).then((code) => ({ code, out: stdout.text(), err: stderr.text() }));
  return {
    ended,
    stdin,
    shows: stdout.shows,
    raw,
    resize: (columns, rows) => {
      Object.assign(stdout.stream, { columns, rows });
      stdout.stream.emit('resize');
    },
    out: stdout.text,
  };
}

function capture(terminal: boolean) {
  let text = '';
  const waiting: { readonly wanted: string; readonly found: () => void }[] = [];
  const stream = new PassThrough();
  Object.assign(stream, { isTTY: terminal, columns: 80, rows: 24 });
  stream.on('data', (chunk) => {
    text += chunk;
    for (const { wanted, found } of waiting) if (text.includes(wanted)) found();
  });
  return {
    stream: stream as unknown as WriteStream,
    text: () => text,
    shows: (wanted: string) =>
      new Promise<void>((found) => {
        if (text.includes(wanted)) found();
        else waiting.push({ wanted, found });
      }),
  };
}
