import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeGently, type WireAnswer, writeAndClose } from './wire.ts';

/** Nothing more is read from a client that has so many answers to come; apt asks for ten ahead. */
const MAX_PIPELINED = 32;

/** How long a client that has just connected has for its request once the daemon is to stop. */
const LAST_REQUEST = 1000;

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
}

/** The open connections, and the answers under way on each: several when they are pipelined. */
export class Connections {
  readonly #answers = new Map<Socket, Set<ServerResponse>>();
  readonly #clients = new Map<string, number>();
  readonly #refused = new WeakSet<Socket>();
  /** Those that have not asked for anything yet. */
  readonly #fresh = new Set<Socket>();
  #closing = false;

  get count(): number {
    return this.#answers.size;
  }

  /** Counts a new connection, or refuses it before it can ask for anything. */
  admit(socket: Socket, { maxConnections, maxConnectionsPerClient }: ConnectionLimits): void {
    const client = socket.remoteAddress ?? '';
    const held = this.#clients.get(client) ?? 0;
    const reason =
      this.count >= maxConnections
        ? `${maxConnections} connections are open (MAX_CONNECTIONS)`
        : `${client} has ${held} connections open (MAX_CONNECTIONS_PER_CLIENT)`;
    if (this.count >= maxConnections || held >= maxConnectionsPerClient) {
      writeAndClose(socket, { status: 503, reason });
      return;
    }
    this.#answers.set(socket, new Set());
    this.#fresh.add(socket);
    this.#clients.set(client, held + 1);
    socket.once('close', () => this.#forget(socket, client));
  }

  /**
   * An answer is under way from now until its response closes. Returns false behind the last
   * answer of a connection, where nothing that comes is a request any more.
   */
  begin(response: ServerResponse): boolean {
    const { socket } = response.req;
    const answers = this.#answers.get(socket);
    if (answers === undefined || socket.writableEnded) return false;
    for (const earlier of answers) if (isLast(earlier)) return false;
    answers.add(response);
    this.#fresh.delete(socket);
    // Not at once: Node reads on at the end of each request in the piece it is at.
    if (answers.size >= MAX_PIPELINED) {
      process.nextTick(() => {
        if (answers.size >= MAX_PIPELINED) socket.pause();
      });
    }
    response.once('close', () => {
      answers.delete(response);
      if (answers.size < MAX_PIPELINED && socket.isPaused()) socket.resume();
      if (this.#closing && answers.size === 0) closeGently(socket);
    });
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
    const pending = [...(this.#answers.get(socket) ?? [])];
    const earlier = pending.find(({ req }) => req.complete);
    if (earlier !== undefined) earlier.once('close', () => this.#refuseInTurn(socket, answer));
    // A request that was refused for its head closes the connection when its answer is out.
    else if (!pending.some(({ headersSent }) => headersSent)) writeAndClose(socket, answer);
  }

  /** Breaks a connection on which nothing has moved for too long, and closes an idle one. */
  giveUp(socket: Socket): void {
    if (this.#answers.get(socket)?.size) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** Closes what is idle now, the rest as its answers end, and breaks what is left after `grace` ms. */
  close(grace: number): NodeJS.Timeout {
    this.#closing = true;
    for (const [socket, answers] of this.#answers) {
      // The request of one that has just connected may be on its way; a restart must not lose it.
      if (this.#fresh.has(socket)) this.#closeFreshLater(socket);
      else if (answers.size === 0) socket.destroy();
    }
    return setTimeout(() => {
      for (const socket of this.#answers.keys()) socket.resetAndDestroy();
    }, grace);
  }

  #closeFreshLater(socket: Socket): void {
    const timer = setTimeout(() => {
      if (this.#fresh.has(socket)) socket.destroy();
    }, LAST_REQUEST);
    socket.once('close', () => clearTimeout(timer));
  }

  #forget(socket: Socket, client: string): void {
    this.#fresh.delete(socket);
    this.#answers.delete(socket);
    const held = (this.#clients.get(client) ?? 1) - 1;
    if (held > 0) this.#clients.set(client, held);
    else this.#clients.delete(client);
  }
}

function isLast(response: ServerResponse): boolean {
  return response.getHeader('connection') === 'close';
}
