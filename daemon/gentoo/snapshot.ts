import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { CacheError, describe } from '../errors.ts';

/** One Manifest as it was when it was read. */
export interface ManifestRecord {
  /** Category and name: `sys-apps/which`. */
  readonly package: string;
  /** See `MetManifest`. */
  readonly stamp: string;
  /** How many digests it has, and how many DIST lines that were passed over. */
  readonly digests: number;
  readonly malformed: number;
}

/** A record of which more is known. */
export interface KeptManifest extends ManifestRecord {
  /** Reads its DIST lines. */
  text(): string;
}

/** What a scan left for the next one. */
export interface Snapshot {
  /** By which two snapshots are told apart. */
  readonly checksum: string;
  /** By the path of the repository, and then by package. */
  readonly repositories: ReadonlyMap<string, ReadonlyMap<string, KeptManifest>>;
  close(): void;
}

/** Takes a snapshot piece by piece. */
export interface SnapshotWriter {
  /** Whose Manifests come next. */
  repository(path: string): unknown;
  manifest(record: ManifestRecord, text: string): void;
  /**
   * Puts it in the place of the former one. What failed until then is told only here, since a scan
   * is no worse for it.
   */
  commit(): { readonly checksum: string } | { readonly failure: string };
}

// The DIST lines of all Manifests, then an index with a line for each repository and each Manifest,
// and a checksum of all that: nobody could tell a spoilt digest from a right one.
const HEAD = 'package-cache manifests 1\n';
const endPattern = /^end (\d+) ([0-9a-f]{128})\n$/m;
/** More than the last line has. */
const END_BYTES = 200;
/** Read or written at once. */
const CHUNK = 65_536;

/** Opens what a scan left; undefined when it is missing, spoilt or of another version. */
export function openSnapshot(path: string): Snapshot | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const snapshot = readSnapshot(file);
  if (snapshot === undefined) closeSync(file);
  return snapshot;
}

function readSnapshot(file: number): Snapshot | undefined {
  try {
    const { size } = fstatSync(file);
    const tail = readText(file, Math.max(0, size - END_BYTES), size);
    const [line = '', indexBytes, checksum = ''] = endPattern.exec(tail) ?? [];
    const end = size - line.length;
    const known = line !== '' && readText(file, 0, HEAD.length) === HEAD;
    if (!known || checksumOf(file, end) !== checksum) return undefined;
    const repositories = readIndex(file, readText(file, end - Number(indexBytes), end));
    return { checksum, repositories, close: () => closeSync(file) };
  } catch {
    // A disk that cannot be read.
    return undefined;
  }
}

function readIndex(file: number, index: string): Snapshot['repositories'] {
  const repositories = new Map<string, Map<string, KeptManifest>>();
  let manifests = new Map<string, KeptManifest>();
  let at = HEAD.length;
  for (const line of index.split('\n').slice(0, -1)) {
    const [kind, name = '', stamp = '', ...numbers] = line.split(' ');
    if (kind === 'repository') {
      manifests = new Map();
      repositories.set(line.slice('repository '.length), manifests);
      continue;
    }
    const [digests = 0, malformed = 0, bytes = 0] = numbers.map(Number);
    const start = at;
    at += bytes;
    const text = () => readText(file, start, start + bytes);
    manifests.set(name, { package: name, stamp, digests, malformed, text });
  }
  return repositories;
}

function readText(file: number, start: number, end: number): string {
  const bytes = Buffer.allocUnsafe(end - start);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
}

function checksumOf(file: number, end: number): string {
  const sum = createHash('blake2b512');
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; at < end; ) {
    const read = readSync(file, chunk, 0, Math.min(CHUNK, end - at), at);
    if (read === 0) break;
    sum.update(chunk.subarray(0, read));
    at += read;
  }
  return sum.digest('hex');
}

/** Begins a snapshot beside the former one. */
export function createSnapshot(path: string): SnapshotWriter {
  const fresh = `${path}.new`;
  const sum = createHash('blake2b512');
  const index: string[] = [];
  let pending = HEAD;
  let failure: unknown;
  const attempt = <Result>(act: () => Result): Result | undefined => {
    try {
      return failure === undefined ? act() : undefined;
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  const file = attempt(() => {
    // What a crash left, or a symlink that somebody put there.
    if (lstatSync(fresh, { throwIfNoEntry: false }) !== undefined) unlinkSync(fresh);
    return openSync(fresh, 'wx', 0o644);
  });
  const flush = () => {
    sum.update(pending);
    attempt(() => writeFileSync(file ?? -1, pending));
    pending = '';
  };
  return {
    repository: (name) => index.push(`repository ${name}\n`),
    manifest: ({ package: name, stamp, digests, malformed }, text) => {
      const bytes = Buffer.byteLength(text);
      index.push(`manifest ${name} ${stamp} ${digests} ${malformed} ${bytes}\n`);
      pending += text;
      if (pending.length > CHUNK) flush();
    },
    commit: () => {
      flush();
      pending = index.join('');
      const bytes = Buffer.byteLength(pending);
      flush();
      const checksum = sum.digest('hex');
      attempt(() => writeFileSync(file ?? -1, `end ${bytes} ${checksum}\n`));
      attempt(() => fsyncSync(file ?? -1));
      if (file !== undefined) closeSync(file);
      attempt(() => renameSync(fresh, path));
      if (failure === undefined) return { checksum };
      if (file !== undefined) rmSync(fresh, { force: true });
      const reason = describe(failure);
      return { failure: new CacheError('storage', { verb: 'write', thing: path, reason }).message };
    },
  };
}
