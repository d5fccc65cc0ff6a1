import type { Call } from './dispatch.ts';
import type { Progress, Rows } from './messages.ts';

/** Tells a client how far a command has come, in place of one that is still on its way. */
export function progressTeller({ id, line }: Call): (progress: Omit<Progress, 'id'>) => void {
  let telling = false;
  const tell = async (progress: Omit<Progress, 'id'>): Promise<void> => {
    telling = true;
    await line.notify({ jsonrpc: '2.0', method: 'progress', params: { id, ...progress } });
    telling = false;
  };
  // What comes while the last is on its way is worth nothing any more.
  return (progress) => {
    if (!telling) void tell(progress);
  };
}

/** Sends rows to a client, of which the command that makes them is a hostage. */
export interface RowSender {
  /** Resolves when they are sent. */
  send(rows: Rows['rows']): Promise<void>;
  /** The client is gone, or did not take its rows for so long that others should not wait for it. */
  readonly signal: AbortSignal;
}

/** Rows for a client that may let others wait for so many milliseconds. */
export function rowSender({ id, line }: Call, patience: number): RowSender {
  const late = new AbortController();
  return {
    send: async (rows) => {
      const timer = setTimeout(() => late.abort(), patience);
      await line.notify({ jsonrpc: '2.0', method: 'rows', params: { id, rows } });
      clearTimeout(timer);
    },
    signal: AbortSignal.any([line.gone, late.signal]),
  };
}
