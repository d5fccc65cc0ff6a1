import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { must } from './mirror.ts';

export const signingPrograms = ['gpg', 'gpg-agent', 'gpgconf'];

/** An OpenPGP key that is gone with the test. */
export interface SigningKey {
  /** GNUPGHOME, which trusts the key. */
  readonly home: string;
  readonly env: { readonly GNUPGHOME: string };
  /** Writes the public key, as programs keep those that they trust. */
  exportTo(file: string, armor?: boolean): Promise<void>;
  /** Writes a clear-signed copy, as InRelease is one. */
  clearSign(file: string, to: string): Promise<void>;
  /** Writes a detached signature beside the file, with this suffix. */
  sign(file: string, suffix: string): Promise<void>;
}

/** Makes a key in a home of its own. */
export async function makeKey(t: ExecutionContext): Promise<SigningKey> {
  const home = join(await tempDir(t), 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const env = { GNUPGHOME: home };
  const gpg = (...args: string[]) => must('gpg', ['--batch', '--quiet', '--yes', ...args], { env });
  const create = ['--passphrase', '', '--quick-generate-key', 'Test <test@example.org>'];
  await gpg(...create, 'rsa2048', 'sign', 'never');
  t.teardown(() => must('gpgconf', ['--kill', 'all'], { env }));
  return {
    home,
    env,
    exportTo: async (file, armor = false) => {
      await gpg(...(armor ? ['--armor'] : []), '--output', file, '--export');
    },
    clearSign: async (file, to) => {
      await gpg('--output', to, '--clear-sign', file);
    },
    sign: async (file, suffix) => {
      await gpg('--output', file + suffix, '--detach-sign', file);
    },
  };
}
