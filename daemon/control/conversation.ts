import type { Hello, Notification, Response } from './messages.ts';

/** Requests of one connection at the same time; those behind them wait unread. */
const AT_ONCE = 8;

/** One connection, as a conversation needs it. */
export interface Wire {
  /** Resolves when the text is with the kernel, or the connection is gone. */
  send(text: string): Promise<void>;
  /** Reads nothing more from the client, so that what it writes stays with it. */
  pause(): void;
  resume(): void;
}

/** What a command says to its client before it answers. */
export interface Line {
  /** Resolves when it is sent: wait for it, so that nothing piles up. */
  notify(notification: Notification): Promise<void>;
  /** The client is gone. */
  readonly gone: AbortSignal;
}

/** Answers a message; undefined for one that gets no answer. Never rejects. */
export type Answer = (message: Buffer, line: Line) => Promise<Response | undefined>;

/** One client's side of the talk. */
export interface Conversation {
  receive(message: Buffer): void;
  /** The connection is gone: its commands are called off. */
  end(): void;
}

/** Begins a conversation with the daemon's hello. */
export function converse(wire: Wire, hello: Hello, answer: Answer): Conversation {
  const gone = new AbortController();
  const waiting: Buffer[] = [];
  let running = 0;
  let sending: Promise<void> = Promise.resolve();
  // One after another: each is sent once the last was flushed.
  const say = (message: Notification | Response): Promise<void> => {
    sending = sending.then(() =>
      gone.signal.aborted ? undefined : wire.send(JSON.stringify(message)),
    );
    return sending;
  };
  const line: Line = { notify: say, gone: gone.signal };
  // Not by await: what is answered would be kept until the client has read the answer.
  const take = (message: Buffer): Promise<void> =>
    answer(message, line).then((response) => (response === undefined ? undefined : say(response)));
  const work = (): void => {
    while (running < AT_ONCE) {
      const message = waiting.shift();
      if (message === undefined) {
        wire.resume();
        return;
      }
      running += 1;
      void take(message).finally(() => {
        running -= 1;
        work();
      });
    }
    wire.pause();
  };
  void say({ jsonrpc: '2.0', method: 'hello', params: hello });
  return {
    receive: (message) => {
      waiting.push(message);
      work();
    },
    end: () => {
      waiting.length = 0;
      gone.abort();
    },
  };
}
