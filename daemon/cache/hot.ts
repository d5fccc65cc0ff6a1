import { lstat } from 'node:fs/promises';
import type { Entry } from './entry.ts';
import { isScarcity, patiently } from './scarcity.ts';
import type { Store } from './store.ts';

/** How much is kept at hand. */
export interface HotLimits {
  /** Open files. */
  readonly files: number;
  /** Bytes of small bodies in memory. */
  readonly bytes: number;
}

/** A store that keeps at hand what was asked for a moment ago. */
export interface HotStore extends Store {
  /** `find` for what is at hand: nothing is waited for. The caller releases its file. */
  peek(key: string): Entry | undefined;
  /** Opens something; when too many files are open, what is at hand makes room for it. */
  spare<T>(open: () => Promise<T>): Promise<T>;
  /** Lets go of all of it; for when somebody removed files, whose disk space is free only then. */
  cool(): void;
  /** How much is at hand now. */
  readonly held: HotLimits;
}

/** So long, in ms, nobody looks whether a file is still what it was. */
const RECHECK = 2000;
/** So long, in ms, a file is kept that nobody asks for. */
const IDLE = 10_000;
/** A body of at most so many bytes is kept in memory once it was asked for again. */
const SMALL = 64 * 1024;

interface Kept {
  /** Its file is held by us. */
  entry: Entry;
  checked: number;
  used: number;
}

/**
 * Puts a memory in front of a store: the open files of entries served lately, and the bytes of
 * small ones. What changes through the store is forgotten at once; what others change on disk is
 * noticed within two seconds.
 */
export function createHotStore(
  store: Store,
  limits: HotLimits,
  now: () => number = () => performance.now(),
): HotStore {
  const hot = new HotEntries(limits, now);
  const forgetting = async <T>(key: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      hot.forget(key);
    }
  };
  return {
    peek: (key) => hot.peek(key),
    find: (key) => hot.find(key, store.find),
    touch: (entry) => {
      const touching = store.touch(entry);
      if (touching !== undefined) hot.noteUse(entry);
      return touching;
    },
    remove: (key) => forgetting(key, store.remove(key)),
    quarantine: (key, file) => forgetting(key, store.quarantine(key, file)),
    commit: (partial, entry) => forgetting(entry.key, store.commit(partial, entry)),
    spare: (open) => hot.spare(open),
    cool: () => hot.cool(),
    get held() {
      return hot.held;
    },
  };
}

class HotEntries {
  readonly #limits: HotLimits;
  readonly #now: () => number;
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  /** Counts what was forgotten: what was opened before may be the old file. */
  #changes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: HotLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get held(): HotLimits {
    return { files: this.#kept.size, bytes: this.#bytes };
  }

  peek(key: string): Entry | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || !this.#isFresh(kept) || isWorthLoading(kept)) return undefined;
    return this.#take(kept);
  }

  async find(key: string, open: Store['find']): Promise<Entry | undefined> {
    const kept = this.#kept.get(key);
    if (kept === undefined) return await this.#open(key, open);
    if (this.#isFresh(kept)) return await this.#use(kept);
    const same = await isUnchanged(kept.entry);
    // Meanwhile it may have been forgotten, and its file closed.
    if (this.#kept.get(key) !== kept) return await this.#open(key, open);
    if (same) {
      kept.checked = this.#now();
      return await this.#use(kept);
    }
    this.#drop(kept);
    return await this.#open(key, open);
  }

  /** Its times are noted: that is not due again for everyone who asks meanwhile. */
  noteUse({ key, inode }: Entry): void {
    const kept = this.#kept.get(key);
    if (kept?.entry.inode === inode) kept.entry = { ...kept.entry, lastUse: Date.now() };
  }

  forget(key: string): void {
    this.#changes += 1;
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#drop(kept);
  }

  cool(): void {
    this.#changes += 1;
    for (const kept of this.#kept.values()) this.#drop(kept);
  }

  async spare<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (error) {
      if (!isScarcity(error)) throw error;
      // Whoever asks now is worth more than whoever may ask again.
      this.cool();
      return await patiently(open);
    }
  }

  async #open(key: string, open: Store['find']): Promise<Entry | undefined> {
    const changes = this.#changes;
    const entry = await this.spare(() => open(key));
    if (entry === undefined || changes !== this.#changes || this.#kept.has(key)) return entry;
    entry.file.retain();
    this.#kept.set(key, { entry, checked: this.#now(), used: this.#now() });
    this.#keepLimits();
    this.#timer ??= setInterval(() => this.#dropIdle(), IDLE / 2).unref();
    return entry;
  }

  #isFresh({ checked }: Kept): boolean {
    return this.#now() - checked <= RECHECK;
  }

  #take(kept: Kept): Entry {
    const { entry } = kept;
    entry.file.retain();
    kept.used = this.#now();
    this.#kept.delete(entry.key);
    this.#kept.set(entry.key, kept);
    return entry;
  }

  async #use(kept: Kept): Promise<Entry> {
    const entry = this.#take(kept);
    return isWorthLoading(kept) ? await this.#load(kept) : entry;
  }

  async #load(kept: Kept): Promise<Entry> {
    const { entry } = kept;
    const bytes = Buffer.allocUnsafeSlow(entry.size);
    // Whatever is wrong with the file shows again when it is delivered.
    const { bytesRead } = await entry.file.handle
      .read(bytes, 0, bytes.length, 0)
      .catch(() => ({ bytesRead: -1 }));
    if (bytesRead !== bytes.length) return entry;
    if (this.#kept.get(entry.key) === kept && kept.entry.bytes === undefined) {
      kept.entry = { ...kept.entry, bytes };
      this.#bytes += bytes.length;
      this.#keepLimits();
    }
    return { ...entry, bytes };
  }

  #keepLimits(): void {
    for (const kept of this.#kept.values()) {
      if (this.#kept.size <= this.#limits.files && this.#bytes <= this.#limits.bytes) return;
      this.#drop(kept);
    }
  }

  #dropIdle(): void {
    for (const kept of this.#kept.values()) {
      if (this.#now() - kept.used > IDLE) this.#drop(kept);
    }
  }

  #drop({ entry }: Kept): void {
    this.#kept.delete(entry.key);
    this.#bytes -= entry.bytes?.length ?? 0;
    entry.file.release();
    if (this.#kept.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function isWorthLoading({ entry }: Kept): boolean {
  return entry.bytes === undefined && entry.size <= SMALL;
}

async function isUnchanged({ path, inode, size, modified }: Entry): Promise<boolean> {
  try {
    const found = await lstat(path);
    return found.ino === inode && found.size === size && found.mtimeMs === modified;
  } catch {
    return false;
  }
}
