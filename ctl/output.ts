import type { EventReport } from '../daemon/control/messages.ts';
import { type CommandName, commands } from '../daemon/control/protocol.ts';
import type { Io } from './io.ts';
import { paintFor } from './paint.ts';
import { clean, headingOf, type Reported, type Row, wordReply, wordRow } from './report.ts';
import { wordEvent } from './report-entries.ts';
import type { Wording } from './wording.ts';

/** Where the answers of a command go. */
export interface Output {
  rows(rows: readonly Row[]): void;
  events(events: readonly EventReport[]): void;
  /** Called once, after all rows. */
  reply(reply: object): void;
}

/** What decides what an output looks like. */
export interface OutputOptions {
  readonly command: CommandName;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly io: Io;
}

/** For people, for scripts, or for nobody. */
export function createOutput({ command, json, quiet, io }: OutputOptions): Output {
  const write = (text: string) => void io.stdout.write(text);
  if (quiet) return { rows: () => {}, events: () => {}, reply: () => {} };
  if (json) return jsonOutput(command, write);
  const paint = paintFor({ terminal: io.stdout.isTTY, env: io.env });
  return textOutput({ command, write, wording: () => ({ paint, now: io.now() }) });
}

// What breaks off is no JSON: a list that was cut must not look whole.
function jsonOutput(command: CommandName, write: (text: string) => void): Output {
  const sends: readonly string[] = commands[command].sends;
  let begun = false;
  return {
    rows: (rows) => {
      if (rows.length === 0) return;
      const lines = rows.map((row) => JSON.stringify(row)).join(',\n');
      write(begun ? `,\n${lines}` : `{"rows": [\n${lines}`);
      begun = true;
    },
    events: (events) => write(events.map((event) => `${JSON.stringify(event)}\n`).join('')),
    reply: (reply) => {
      if (!sends.includes('rows')) return write(`${JSON.stringify(reply, undefined, 2)}\n`);
      const rest = JSON.stringify(reply).slice(1);
      write(`${begun ? '\n' : '{"rows": ['}]${rest === '}' ? '' : ', '}${rest}\n`);
    },
  };
}

interface TextOptions {
  readonly command: CommandName;
  readonly write: (text: string) => void;
  readonly wording: () => Wording;
}

function textOutput({ command: name, write, wording }: TextOptions): Output {
  // `watch` has events alone, and `top` never comes here.
  const command = name as Reported;
  let begun = false;
  return {
    rows: (rows) => {
      const now = wording();
      const heading = begun || rows.length === 0 ? '' : headingOf(command);
      begun ||= rows.length > 0;
      write(heading + rows.map((row) => wordRow({ command, row }, now)).join(''));
    },
    events: (events) => {
      const now = wording();
      write(events.map((event) => wordEvent(clean(event), now)).join(''));
    },
    reply: (reply) => write(wordReply({ command, reply: reply as never }, wording())),
  };
}
