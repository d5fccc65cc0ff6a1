import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeGently, ignoreRequests, type WireAnswer, writeAndClose } from './wire.ts';

/** Nothing more is read from a client that has so many answers to come; apt asks for ten ahead. */
const MAX_PIPELINED = 32;

/** How long a client that has just connected has for its request once the daemon is to stop. */
const LAST_REQUEST = 1000;

/** What came in one piece is read to its end: so many requests there must be no more in it. */
const MAX_AHEAD = 64;
/** Requests of all connections that wait behind others; a head may have 16 kB and more. */
const MAX_AHEAD_IN_ALL = 8192;

/** Node looks at what is late once a second, and is to come first: it tells the client. */
const SLACK = 3000;

/** How long a client may keep a connection without making use of it, in milliseconds. */
export interface Patience {
  readonly headTimeout: number;
  readonly idleTimeout: number;
  readonly stallTimeout: number;
}

interface Connection {
  /** Those under way: several when they are pipelined. */
  readonly answers: Set<ServerResponse>;
  /** When it last went on: to a request, to the end of an answer, or with bytes that were taken. */
  moved: number;
  /** The bytes that it had taken then. */
  taken: number;
}

/** The open connections, and the answers under way on each. */
export class Connections {
  readonly #open = new Map<Socket, Connection>();
  readonly #refused = new WeakSet<Socket>();
  /** Those that have not asked for anything yet. */
  readonly #fresh = new Set<Socket>();
  #ahead = 0;
  #closing = false;

  add(socket: Socket): void {
    // So Node closes a connection behind its last answer, and unread input would make it a reset.
    socket.destroySoon = () => closeGently(socket);
    this.#open.set(socket, { answers: new Set(), moved: performance.now(), taken: 0 });
    this.#fresh.add(socket);
    socket.once('close', () => {
      this.#fresh.delete(socket);
      this.#open.delete(socket);
    });
  }

  /**
   * An answer is under way from now until its response closes. Returns false where it is not to be
   * given: behind the last answer of a connection, where nothing that comes is a request any more,
   * and to a client that asks too far ahead, whose connection is reset.
   */
  begin(response: ServerResponse): boolean {
    const { socket } = response.req;
    const connection = this.#open.get(socket);
    const isOver = connection === undefined || socket.writableEnded || hasLast(connection);
    if (isOver || this.#isTooFarAhead(connection)) {
      ignoreRequests(socket);
      if (!isOver) socket.resetAndDestroy();
      return false;
    }
    const { answers } = connection;
    // Only the first: more requests are no sign that the client takes its answers.
    if (answers.size === 0) connection.moved = performance.now();
    else this.#ahead += 1;
    answers.add(response);
    this.#fresh.delete(socket);
    // Not at once: Node reads on at the end of each request in the piece it is at.
    if (answers.size >= MAX_PIPELINED) {
      process.nextTick(() => {
        if (answers.size >= MAX_PIPELINED) socket.pause();
      });
    }
    response.once('close', () => this.#end(response, socket, connection));
    return true;
  }

  /**
   * Refuses what came behind the requests that are being answered, in its turn (RFC 9112 section
   * 9.3.2), and ends the connection there: where a next request would begin is uncertain.
   */
  refuse(socket: Socket, answer: WireAnswer): void {
    // Every further piece of what came is an error too.
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    this.#refuseInTurn(socket, answer);
  }

  #refuseInTurn(socket: Socket, answer: WireAnswer): void {
    const pending = [...(this.#open.get(socket)?.answers ?? [])];
    const earlier = pending.find(({ req }) => req.complete);
    if (earlier !== undefined) earlier.once('close', () => this.#refuseInTurn(socket, answer));
    // A request that was refused for its head closes the connection when its answer is out.
    else if (!pending.some(({ headersSent }) => headersSent)) writeAndClose(socket, answer);
  }

  /**
   * Closes what has been idle for too long, and breaks a connection whose client takes no byte of
   * its answer: a clean end would let it take what it has for the whole. What the client sends
   * meanwhile, were it but empty lines, keeps nothing alive.
   */
  closeStale({ headTimeout, idleTimeout, stallTimeout }: Patience): void {
    const now = performance.now();
    // Silence has ended it by then, and half a head has been answered.
    const idle = idleTimeout + headTimeout + SLACK;
    for (const [socket, connection] of this.#open) {
      const taken = socket.bytesWritten - socket.writableLength;
      const isWaiting = connection.answers.size > 0 && socket.writableLength === 0;
      if (isWaiting || taken !== connection.taken) {
        connection.taken = taken;
        connection.moved = now;
      }
      const quiet = now - connection.moved;
      if (connection.answers.size > 0 && quiet > stallTimeout) socket.resetAndDestroy();
      else if (connection.answers.size === 0 && quiet > idle) socket.destroy();
    }
  }

  /** Closes what is idle now, the rest as its answers end, and breaks what is left after `grace` ms. */
  close(grace: number): NodeJS.Timeout {
    this.#closing = true;
    for (const [socket, { answers }] of this.#open) {
      // The request of one that has just connected may be on its way; a restart must not lose it.
      if (this.#fresh.has(socket)) this.#closeFreshLater(socket);
      else if (answers.size === 0) socket.destroy();
    }
    return setTimeout(() => {
      for (const socket of this.#open.keys()) socket.resetAndDestroy();
    }, grace);
  }

  #closeFreshLater(socket: Socket): void {
    const timer = setTimeout(() => {
      if (this.#fresh.has(socket)) socket.destroy();
    }, LAST_REQUEST);
    socket.once('close', () => clearTimeout(timer));
  }

  #isTooFarAhead({ answers }: Connection): boolean {
    return answers.size >= (this.#ahead < MAX_AHEAD_IN_ALL ? MAX_AHEAD : 1);
  }

  #end(response: ServerResponse, socket: Socket, connection: Connection): void {
    const { answers } = connection;
    answers.delete(response);
    if (answers.size > 0) this.#ahead -= 1;
    connection.moved = performance.now();
    if (answers.size < MAX_PIPELINED && socket.isPaused()) socket.resume();
    if (this.#closing && answers.size === 0) closeGently(socket);
  }
}

// In HTTP/1.0, or because one side wants it so, Node ends the connection behind an answer.
function hasLast({ answers }: Connection): boolean {
  for (const answer of answers) {
    if (!answer.shouldKeepAlive || answer.getHeader('connection') === 'close') return true;
  }
  return false;
}
