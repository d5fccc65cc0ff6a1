import { connect } from 'node:net';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import type { Failure, Hello, Notification } from '../../daemon/control/messages.ts';

/** What the daemon sent. */
export type Message = Record<string, unknown>;

/** What a command came to, with all that came before it. */
export interface Outcome<Reply> {
  readonly reply: Reply;
  readonly error: Failure['error'] | undefined;
  /** The rows of all notifications. */
  readonly rows: readonly Message[];
  readonly notifications: readonly Notification[];
}

/** A conversation with the daemon, without package-cache-ctl. */
export interface Control {
  readonly hello: Hello;
  /** All that came so far. */
  readonly messages: readonly Message[];
  /** Sends a request and waits for its answer. */
  call<Reply = Message>(method: string, params?: unknown): Promise<Outcome<Reply>>;
  /** Sends what it is given, as one message. */
  write(text: string | Buffer): void;
  /** The next message that was not waited for yet and that the test wants. */
  next(wanted?: (message: Message) => boolean): Promise<Message>;
  /** Reads nothing from the kernel, so that the daemon feels it. */
  pause(): void;
  resume(): void;
  close(): void;
  readonly closed: Promise<void>;
}

interface Waiter {
  readonly wanted: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/** Talks to a control socket, until the test ends. */
export async function dialControl(
  t: Pick<ExecutionContext, 'teardown'>,
  path: string,
): Promise<Control> {
  const socket = new WebSocket('ws://localhost/', {
    createConnection: () => connect(path),
    perMessageDeflate: false,
  });
  t.teardown(() => socket.terminate());
  const messages: Message[] = [];
  let unread: Message[] = [];
  let waiters: Waiter[] = [];
  const closed = Promise.withResolvers<void>();
  socket.on('close', () => {
    closed.resolve();
    for (const { reject } of waiters.splice(0)) reject(new Error('The connection was closed'));
  });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    messages.push(message);
    const waiter = waiters.find(({ wanted }) => wanted(message));
    if (waiter === undefined) unread.push(message);
    waiters = waiters.filter((one) => one !== waiter);
    waiter?.resolve(message);
  });
  const next = (wanted: Waiter['wanted'] = () => true): Promise<Message> => {
    const known = unread.find(wanted);
    unread = unread.filter((message) => message !== known);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => waiters.push({ wanted, resolve, reject }));
  };
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  failed.catch(() => {});
  const hello = (await Promise.race([next(), failed])) as unknown as { params: Hello };
  let calls = 0;
  return {
    hello: hello.params,
    messages,
    call: async <Reply>(method: string, params?: unknown) => {
      calls += 1;
      const id = `call ${calls}`;
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      const answer = await next((message) => message.id === id);
      const notifications = messages.filter((message) => paramsOf(message).id === id);
      return {
        reply: answer.result as Reply,
        error: answer.error as Failure['error'] | undefined,
        rows: notifications.flatMap((message) => (paramsOf(message).rows ?? []) as Message[]),
        notifications: notifications as unknown as Notification[],
      };
    },
    write: (text) => socket.send(text),
    next,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
    closed: closed.promise,
  };
}

/** What a notification carries. */
export function paramsOf(message: Message): Message {
  return (message.params ?? {}) as Message;
}
