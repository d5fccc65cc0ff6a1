import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tempDir } from './files.ts';

/** Addresses by name, in the order in which they are found. */
export type Addresses = Readonly<Record<string, readonly string[]>>;

/** What a name server knows, for one daemon alone. */
export interface HostNames {
  /** For the daemon's environment. */
  readonly env: { readonly NODE_OPTIONS: string };
  /** From now on it knows these names and no others. */
  know(addresses: Addresses): Promise<void>;
}

const preload = (file: string) => `
  import dns from 'node:dns';
  import { readFileSync } from 'node:fs';
  import { isIP } from 'node:net';
  const { lookup } = dns;
  dns.lookup = (name, options, callback) => {
    if (isIP(name) !== 0) return lookup(name, options, callback);
    const found = JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'))[name];
    const error = Object.assign(new Error('getaddrinfo EAI_AGAIN ' + name), { code: 'EAI_AGAIN' });
    const all = found?.map((address) => ({ address, family: isIP(address) }));
    setImmediate(() => (all === undefined ? callback(error) : callback(null, all)));
  };`;

/** Stands in for the resolver of a daemon that is started with its `env`; it knows nothing yet. */
export async function hostNames(t: ExecutionContext): Promise<HostNames> {
  const file = join(await tempDir(t), 'names.json');
  const know = (addresses: Addresses) => writeFile(file, JSON.stringify(addresses));
  await know({});
  const url = `data:text/javascript,${encodeURIComponent(preload(file))}`;
  return { env: { NODE_OPTIONS: `--import=${url}` }, know };
}
