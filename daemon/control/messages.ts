// The messages that protocol.ts speaks of, as they travel.

/** What a client sends; one without an id gets no answer, and does nothing. */
export interface Request {
  readonly jsonrpc: '2.0';
  readonly id?: number | string;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The end of a request, good or bad. */
export type Response = Result | Failure;

/** What a command came to. */
export interface Result {
  readonly jsonrpc: '2.0';
  readonly id: number | string;
  readonly result: unknown;
}

/** Why there is no result; the id is null when the message did not let it be known. */
export interface Failure {
  readonly jsonrpc: '2.0';
  readonly id: number | string | null;
  readonly error: {
    readonly code: number;
    /** One sentence for people. */
    readonly message: string;
    readonly data?: {
      /** The daemon's word for what went wrong: `not-found`, `config`, `busy`, … */
      readonly code?: string;
      readonly argument?: string;
    };
  };
}

/** What the daemon says unasked. `id` is that of the request it belongs to. */
export type Notification =
  | { readonly jsonrpc: '2.0'; readonly method: 'hello'; readonly params: Hello }
  | { readonly jsonrpc: '2.0'; readonly method: 'rows'; readonly params: Rows }
  | { readonly jsonrpc: '2.0'; readonly method: 'progress'; readonly params: Progress }
  | { readonly jsonrpc: '2.0'; readonly method: 'events'; readonly params: Events };

/** The first message of a connection. */
export interface Hello {
  readonly protocol: number;
  /** Of the daemon. */
  readonly version: string;
  readonly pid: number;
}

/** A piece of a list: entries of `ls`, `cull` and `purge`, outcomes of the others. */
export interface Rows {
  readonly id: number | string;
  readonly rows: readonly (EntryRow | ListRow | FetchRow | VerifyRow)[];
}

/** How far a command has come, several times a second at most. */
export interface Progress {
  readonly id: number | string;
  /** Files done so far. */
  readonly entries: number;
  readonly bytes: number;
  /** Files to do in all; null while nobody knows. */
  readonly total: number | null;
  /** Bytes to do in all, where they tell more than the files do. */
  readonly totalBytes?: number;
}

/** What happened, for `watch`. */
export interface Events {
  readonly id: number | string;
  readonly events: readonly EventReport[];
  /** Events that were left out so far, because the client did not read. */
  readonly dropped: number;
}

/** A row of `cull` and `purge`; `ls` adds `mutable`. */
export interface EntryRow {
  readonly path: string;
  readonly size: number;
  readonly lastUse: number;
}

/** A row of `ls`. */
export interface ListRow extends EntryRow {
  readonly mutable: boolean;
}

/** A row of `verify`: a file that is wrong. */
export interface VerifyRow {
  readonly path: string;
  readonly size: number;
  /** What was expected, and what was found. */
  readonly reason: string;
  /** `wrong`: it is where it was; `failed`: it is in quarantine, and was not fetched anew. */
  readonly outcome: 'wrong' | 'repaired' | 'failed';
  /** Why it could not be put into quarantine, or fetched. */
  readonly failure: string | null;
}

/** A row of `fetch` and of `import`. */
export interface FetchRow {
  /** As it was asked for; of `import` the name of the file. */
  readonly path: string;
  /** `present`: it was stored already, and nothing had to be done. */
  readonly outcome: 'stored' | 'present' | 'failed';
  readonly size: number | null;
  /** Why it failed. */
  readonly reason: string | null;
}

/** A file that could not be read or removed, of which a reply names the first hundred. */
export interface ProblemReport {
  readonly path: string;
  readonly reason: string;
}

/** One thing that happened; every event has the same fields. */
export interface EventReport {
  readonly at: number;
  readonly kind:
    | 'download'
    | 'stored'
    | 'passed'
    | 'failed'
    | 'unchanged'
    | 'request'
    | 'source'
    | 'cull'
    | 'wrong'
    | 'reload';
  /** The path, source or glob it happened to. */
  readonly thing: string;
  /** One line for people. */
  readonly text: string;
}
