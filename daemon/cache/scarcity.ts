import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../errors.ts';

/** So often is looked whether others have closed some of their files, and so long between, in ms. */
const LOOKS = 20;
const PAUSE = 50;

/** Whether that is because too many files are open, in this process or in the whole system. */
export function isScarcity(error: unknown): boolean {
  if (['EMFILE', 'ENFILE'].includes(errnoOf(error) ?? '')) return true;
  return error instanceof Error && error.cause !== undefined && isScarcity(error.cause);
}

/**
 * Opens something, for which it waits a second at most while too many files are open: clients come
 * and go, and what has come so far must not be lost for want of one file.
 *
 * @throws what `open` throws.
 */
export async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let looks = LOOKS; ; looks -= 1) {
    try {
      return await open();
    } catch (error) {
      if (looks === 0 || !isScarcity(error)) throw error;
      await delay(PAUSE);
    }
  }
}
