import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { RESERVED_PREFIX } from './key.ts';

/** The folder of the cache's own files, below CACHE_DIR. */
export const OWN_FOLDER = RESERVED_PREFIX;

/** Where a document lives whose key is also a directory: `/a` beside `/a/b` is `a/<this>`. */
export const SELF_NAME = `${RESERVED_PREFIX}-self`;

/** The paths of everything below one CACHE_DIR; pure. */
export interface Layout {
  readonly root: string;
  readonly partialFolder: string;
  readonly metaFolder: string;
  /** Documents that are about to become directories; what a crash leaves here is worthless. */
  readonly movingFolder: string;
  /** Entries that were found to be wrong, at their keys, until they expire. */
  readonly quarantineFolder: string;
  readonly lock: string;
  readonly id: string;
  readonly stats: string;
  /** How much is stored and when it was last used, as last counted. */
  readonly census: string;
  /** What was last read of the Manifests in MANIFESTS. */
  readonly manifests: string;
  /** What the last check against the Manifests came to, and how far the nightly ones are. */
  readonly verification: string;
  /** `CACHE_DIR/<key>`: the package itself. */
  entry(key: string): string;
  /** `CACHE_DIR/<key>/.package-cache-self`, for a key that is a directory too. */
  self(key: string): string;
  /** `…/partial/<hash of the key>`. */
  partial(key: string): string;
  /** `…/meta/<hash of the directory>/<hash of the key>.json`: siblings share a folder. */
  meta(key: string): string;
}

/** The layout of one cache directory. */
export function createLayout(root: string): Layout {
  const own = (name: string) => join(root, OWN_FOLDER, name);
  return {
    root,
    partialFolder: own('partial'),
    metaFolder: own('meta'),
    movingFolder: own('moving'),
    quarantineFolder: own('quarantine'),
    lock: own('lock'),
    id: own('id'),
    stats: own('stats.json'),
    census: own('census.json'),
    manifests: own('manifests'),
    verification: own('verification.json'),
    entry: (key) => `${root}/${key}`,
    self: (key) => `${root}/${key}/${SELF_NAME}`,
    partial: (key) => join(own('partial'), hash(key)),
    meta: (key) => join(own('meta'), hash(dirname(key)), `${hash(key)}.json`),
  };
}

// Hashes, because a key with a suffix could outgrow the 255 bytes of a file name.
function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
