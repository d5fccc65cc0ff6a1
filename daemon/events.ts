/** What can happen that somebody may want to watch. */
export type EventKind =
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

/** One thing that happened. */
export interface Event {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: EventKind;
  /** The key, target, source or directory it happened to. */
  readonly thing: string;
  /** One line for people. */
  readonly text: string;
}

/** Who hears of events. */
export interface Listener {
  /** Requests are many: they are told only to those who ask for them. */
  readonly requests: boolean;
  readonly hear: (event: Event) => void;
}

/** Live events: told to whoever listens at that moment, and not kept. */
export interface Events {
  emit(kind: EventKind, thing: string, text: string): void;
  /** Returns how to stop listening. */
  listen(listener: Listener): () => void;
  /** Whether anybody wants to hear of requests. */
  readonly wantsRequests: boolean;
}

/** Starts without listeners. */
export function createEvents(now: () => number = Date.now): Events {
  const listeners = new Set<Listener>();
  let curious = 0;
  return {
    emit: (kind, thing, text) => {
      for (const { requests, hear } of listeners) {
        if (kind !== 'request' || requests) hear({ at: now(), kind, thing, text });
      }
    },
    listen: (listener) => {
      listeners.add(listener);
      curious += Number(listener.requests);
      return () => {
        if (listeners.delete(listener)) curious -= Number(listener.requests);
      };
    },
    get wantsRequests() {
      return curious > 0;
    },
  };
}
