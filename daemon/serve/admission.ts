import type { Socket } from 'node:net';
import type { AllowList } from './allow.ts';
import type { Connections } from './connections.ts';
import { writeAndClose } from './wire.ts';

/** Refused connections that stay until their clients know why: what comes on top is just closed. */
const MAX_REFUSED = 64;
/** Connections from addresses that are not in ALLOW, all of them together. */
const MAX_STRANGERS = 16;
/** So long, in ms, such a connection lasts: enough to ask for something and be told. */
const STRANGERS_TIME = 5000;

/** Who may connect, and how often; read at each use, since a reload may change it. */
export interface AdmissionRules {
  readonly allowed: AllowList;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
}

/**
 * Decides on every new connection before a byte of it is looked at, by its address first of all.
 * Who is not in ALLOW takes nobody's place; who is refused holds next to nothing.
 */
export class Admission {
  readonly #connections: Connections;
  readonly #rules: () => AdmissionRules;
  readonly #held = new Map<string, number>();
  #count = 0;
  #strangers = 0;
  #refused = 0;

  constructor(connections: Connections, rules: () => AdmissionRules) {
    this.#connections = connections;
    this.#rules = rules;
  }

  /** Connections that were let in and are still open. */
  get count(): number {
    return this.#count;
  }

  /** Whether nothing but a good request of this connection gets an answer, and that is 403. */
  isStranger({ remoteAddress }: Socket): boolean {
    return !this.#rules().allowed.allows(remoteAddress);
  }

  admit(socket: Socket): void {
    const client = socket.remoteAddress ?? '';
    const reason = this.#whyNot(client);
    if (this.isStranger(socket)) this.#admitStranger(socket);
    else if (reason === undefined) this.#letIn(socket, client);
    else this.#refuse(socket, reason);
  }

  #letIn(socket: Socket, client: string): void {
    this.#count += 1;
    this.#held.set(client, this.#heldBy(client) + 1);
    this.#connections.add(socket);
    socket.once('close', () => this.#forget(client));
  }

  #whyNot(client: string): string | undefined {
    const { maxConnections, maxConnectionsPerClient } = this.#rules();
    const held = this.#heldBy(client);
    if (this.#count >= maxConnections) {
      return `${maxConnections} connections are open (MAX_CONNECTIONS)`;
    }
    return held >= maxConnectionsPerClient
      ? `${client} has ${held} connections open (MAX_CONNECTIONS_PER_CLIENT)`
      : undefined;
  }

  #refuse(socket: Socket, reason: string): void {
    if (this.#refused >= MAX_REFUSED) {
      socket.resetAndDestroy();
      return;
    }
    this.#refused += 1;
    socket.once('close', () => {
      this.#refused -= 1;
    });
    writeAndClose(socket, { status: 503, reason });
  }

  #admitStranger(socket: Socket): void {
    if (this.#strangers >= MAX_STRANGERS) {
      socket.destroy();
      return;
    }
    this.#strangers += 1;
    this.#connections.add(socket);
    const timer = setTimeout(() => {
      // A reload may have let it in meanwhile.
      if (this.isStranger(socket)) socket.destroy();
    }, STRANGERS_TIME);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#strangers -= 1;
    });
  }

  #heldBy(client: string): number {
    return this.#held.get(client) ?? 0;
  }

  #forget(client: string): void {
    this.#count -= 1;
    const held = this.#heldBy(client) - 1;
    if (held > 0) this.#held.set(client, held);
    else this.#held.delete(client);
  }
}
