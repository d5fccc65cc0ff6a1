import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So many bytes of buffers may wait to be collected: some way below where V8 itself acts. */
const EVERY = 16 * 1024 * 1024;

/** Counts bytes that came in buffers of their own, which are garbage soon. */
export type GarbageMeter = (bytes: number) => void;

/**
 * Has the young garbage collected, half a millisecond's work, before there is much of it. What a
 * socket reads comes in a new buffer of 64 KiB each time, whose memory V8 does not see as part of
 * its young generation: every 32 MB of it, V8 would look through all objects of the process, which
 * took almost half of the processor time of a download.
 */
export function createGarbageMeter(collect: () => void = collector('minor')): GarbageMeter {
  let waiting = 0;
  return (bytes) => {
    waiting += bytes;
    if (waiting < EVERY) return;
    waiting = 0;
    collect();
  };
}

/**
 * Has all garbage collected, tens of milliseconds' work: for whoever lets go of megabytes and will
 * not do so again for hours. V8 itself would wait until there are 64 MB of them.
 */
export function collectGarbage(): void {
  collector('major')();
}

// Node has no other way to it. Where the flag is refused, V8 does as it would.
function collector(type: 'minor' | 'major'): () => void {
  try {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    return typeof collect === 'function' ? () => void collect({ type }) : () => {};
  } catch {
    return () => {};
  }
}
