/** A place where one side waits until a test lets it pass: what tests have in place of sleeps. */
export interface Gate {
  open(): void;
  readonly opened: Promise<void>;
  /** Settles when someone waits at the gate. */
  readonly reached: Promise<void>;
  /** Waits at the gate. */
  pass(): Promise<void>;
}

/** A closed gate. */
export function gate(): Gate {
  const opened = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  return {
    open: () => opened.resolve(),
    opened: opened.promise,
    reached: reached.promise,
    pass: () => {
      reached.resolve();
      return opened.promise;
    },
  };
}
