/** Work of which there is one at a time. */
export interface Single {
  readonly busy: boolean;
  /** Begins work, which ends when either signal says so; nobody may be busy. */
  run<Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  /** Resolves when nobody is busy. */
  idle(): Promise<void>;
  /** Ends what is under way. */
  close(): Promise<void>;
  readonly closed: boolean;
}

/** Starts without work. */
export function createSingle(): Single {
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  const idle = async (): Promise<void> => {
    while (running !== undefined) await running;
  };
  return {
    get busy() {
      return running !== undefined;
    },
    run: (work, signal) => {
      const signals = [closing.signal, ...(signal === undefined ? [] : [signal])];
      const result = work(AbortSignal.any(signals));
      running = result.then(ignore, ignore).then(() => {
        running = undefined;
      });
      return result;
    },
    idle,
    close: async () => {
      closing.abort();
      await idle();
    },
    get closed() {
      return closing.signal.aborted;
    },
  };
}

// Whoever began it hears of it.
function ignore(): void {}
