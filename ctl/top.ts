import { setTimeout as wait } from 'node:timers/promises';
import type { TopReply } from '../daemon/control/reports.ts';
import type { Client } from './client.ts';
import { exitCodes, misused } from './failure.ts';
import { type Io, leaveCode } from './io.ts';
import { paintFor } from './paint.ts';
import { clean } from './report.ts';
import { openScreen } from './screen.ts';
import { type Frames, topLines } from './top-lines.ts';

const EVERY = 1000;
/** Rates are those of so many frames: one alone jumps about. */
const FRAMES = 6;

/** What `top` needs of the command that was typed. */
export interface TopJob {
  readonly order: { readonly json: boolean };
  readonly client: Client;
  readonly io: Io;
}

/** Shows a frame a second until `q`; as JSON one object a line, until it is interrupted. */
export async function runTop(job: TopJob): Promise<number> {
  if (job.order.json) return printFrames(job);
  if (!job.io.stdout.isTTY || !job.io.stdin.isTTY) {
    throw misused('top', 'it needs a terminal; --json prints its frames');
  }
  return showFrames(job);
}

async function printFrames({ client, io }: TopJob): Promise<number> {
  try {
    while (!io.stop.aborted) {
      io.stdout.write(`${JSON.stringify(await client.call({ method: 'top' }))}\n`);
      await wait(EVERY, undefined, { signal: io.stop });
    }
  } catch (error) {
    if (!io.stop.aborted) throw error;
  }
  return leaveCode(io.stop);
}

async function showFrames({ client, io }: TopJob): Promise<number> {
  const { stdin: input, stdout: output } = io;
  const left = new AbortController();
  const stop = AbortSignal.any([left.signal, io.stop]);
  const paint = paintFor({ terminal: true, env: io.env });
  let frames: Frames = [];
  const draw = () => {
    const { columns, rows } = screen;
    screen.draw(topLines(frames, { paint, columns, rows, version: client.hello.version }));
  };
  const screen = openScreen({
    input,
    output,
    onKey: (key) => {
      if (isLeaving(key)) left.abort();
    },
    onResize: draw,
  });
  try {
    while (!stop.aborted) {
      const frame = (await client.call({ method: 'top' })) as TopReply;
      frames = [...frames, clean(frame)].slice(-FRAMES);
      draw();
      await wait(EVERY, undefined, { signal: stop });
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    screen.close();
  }
  return left.signal.aborted ? exitCodes.done : leaveCode(io.stop);
}

/** q, Escape alone, Ctrl-C and Ctrl-D. */
function isLeaving(key: string): boolean {
  return ['q', 'Q', '\x1b', '\x03', '\x04'].includes(key);
}
