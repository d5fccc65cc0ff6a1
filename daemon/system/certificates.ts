import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CacheError, describe } from '../errors.ts';

const certificates = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/**
 * The text of CA_FILE.
 *
 * @throws CacheError `config` when it cannot be read, or holds what is no certificate: Node's TLS
 * would trust nobody then, and never say why.
 */
export async function readCertificates(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const reason = `CA_FILE: ${describe(cause)}`;
    throw new CacheError('config', { verb: 'read', thing: path, reason, cause });
  });
  const found = text.match(certificates) ?? [];
  if (found.length === 0) throw useless(path, 'it holds no certificate');
  for (const [at, certificate] of found.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      throw useless(path, `certificate ${at + 1} in it cannot be read`, cause);
    }
  }
  return text;
}

function useless(path: string, reason: string, cause?: unknown): CacheError {
  return new CacheError('config', {
    verb: 'use',
    thing: path,
    reason: `CA_FILE: ${reason}`,
    cause,
  });
}
