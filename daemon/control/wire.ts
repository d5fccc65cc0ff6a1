// What both sides of the talk hold to, whatever is said: see protocol.ts.

/** Raised when an old client could misread a new daemon; new fields and commands do not count. */
export const PROTOCOL = 1;

/** A longer message is refused. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A notification holds no more rows than this. */
export const MAX_ROWS = 1000;

/** Why a request failed: the codes of JSON-RPC 2.0, and the one of ours. */
export const errorCodes = {
  /** The message is not JSON. */
  parse: -32700,
  /** It is JSON, and no request; or it is a batch, or too long. */
  request: -32600,
  /** There is no such command. */
  method: -32601,
  /** The command does not take these arguments; `data.argument` names the one. */
  params: -32602,
  /** A bug of the daemon's. */
  internal: -32603,
  /** The command was understood and cannot be done: the message says why. */
  failed: -32000,
} as const;
