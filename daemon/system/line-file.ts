import { type FileHandle, open } from 'node:fs/promises';

/** Lines that wait for a disk that hangs; what comes on top is dropped. */
const MOST_WAITING = 10_000;

/** A file that takes lines, and that never fails or holds up whoever writes them. */
export interface LineFile {
  write(line: string): void;
  /** Resolves when what was written is in the file, or will never be. */
  close(): Promise<void>;
}

/**
 * Opens the file for appending, or makes it. A line that cannot be written is lost: `complain` is
 * told of the first one, and again after one that could be written.
 */
export function openLineFile(path: string, complain: (cause: unknown) => void): LineFile {
  let handle: FileHandle | undefined;
  let failing = false;
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;

  const append = async (lines: readonly string[]): Promise<void> => {
    handle ??= await open(path, 'a', 0o640);
    await handle.appendFile(lines.map((line) => `${line}\n`).join(''));
  };
  const drain = async (): Promise<void> => {
    do {
      const lines = waiting;
      waiting = [];
      try {
        await append(lines);
        if (lines.length > 0) failing = false;
      } catch (error) {
        if (!failing) complain(error);
        failing = true;
      }
    } while (waiting.length > 0);
    writing = undefined;
  };
  // A path that cannot be opened is told at once and not with the first line.
  writing = drain();
  return {
    write: (line) => {
      if (waiting.length >= MOST_WAITING) return;
      waiting.push(line);
      writing ??= drain();
    },
    close: async () => {
      await writing;
      await handle?.close().catch(() => {});
    },
  };
}
