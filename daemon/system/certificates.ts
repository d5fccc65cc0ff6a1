import { readFile } from 'node:fs/promises';
import { CacheError, describe } from '../errors.ts';

/** The text of CA_FILE. @throws CacheError `config` when it cannot be read */
export async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = `CA_FILE: ${describe(cause)}`;
    throw new CacheError('config', { verb: 'read', thing: path, reason, cause });
  }
}
