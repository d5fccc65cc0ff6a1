import { createPolicy } from '../cache/policy.ts';

/** What decides about the names of entries; it travels to a worker. */
export interface Naming {
  /** The globs of the admin's that decide which names may change. */
  readonly rules: { readonly immutable: readonly string[]; readonly mutable: readonly string[] };
  /** The names of the repositories: the globs are matched below their roots. */
  readonly repositories: readonly string[];
}

/** What is known of an entry by its key. */
export interface Named {
  /** Below the root of its repository. */
  readonly path: string;
  readonly mutable: boolean;
}

/** Tells of keys what requests for them are told by. */
export function createNames({ rules, repositories }: Naming): (key: string) => Named {
  const policy = createPolicy(rules);
  return (key) => {
    const slash = key.indexOf('/');
    const below = slash > 0 && repositories.includes(key.slice(0, slash));
    const path = below ? key.slice(slash + 1) : key;
    return { path, mutable: policy.classify(path).mutable };
  };
}
