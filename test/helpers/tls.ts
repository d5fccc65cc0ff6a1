import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { ExecutionContext } from 'ava';
import { tempDir } from './files.ts';
import { listen } from './tcp.ts';

/** A certificate authority of a test's own. */
export interface Authority {
  /** Its certificate, as CA_FILE wants it. */
  readonly file: string;
  /** Key and certificate, in PEM, of a server that has these names: `IP:127.0.0.1`. */
  issue(names: string): Certificate;
}

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Makes an authority with openssl. */
export async function makeAuthority(t: ExecutionContext): Promise<Authority> {
  const directory = await tempDir(t);
  const place = (name: string) => join(directory, name);
  const request = (name: string, args: readonly string[]) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
    const files = ['-keyout', place(`${name}.key`), '-out', place(`${name}.pem`)];
    const all = ['req', '-x509', '-days', '2', ...key, ...files, ...args];
    execFileSync('openssl', all, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  request('ca', ['-subj', '/CN=The authority of a test']);
  return {
    file: place('ca.pem'),
    issue: (names) => {
      const signer = ['-CA', place('ca.pem'), '-CAkey', place('ca.key')];
      const leaf = ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=CA:FALSE'];
      request('server', ['-subj', '/CN=server', ...signer, ...leaf]);
      return { key: readFileSync(place('server.key')), cert: readFileSync(place('server.pem')) };
    },
  };
}

/** Speaks TLS in front of a server on 127.0.0.1, and answers the port. */
export async function startTls(
  t: ExecutionContext,
  { port, certificate }: { readonly port: number; readonly certificate: Certificate },
): Promise<number> {
  const server = createServer(certificate, (secure) => {
    const plain = connect(port, '127.0.0.1');
    secure.pipe(plain).pipe(secure);
    // One side's end is the other's, and either may be told of it by an error.
    secure.on('error', () => plain.destroy()).on('close', () => plain.destroy());
    plain.on('error', () => secure.destroy());
  });
  t.teardown(() => server.close());
  return listen(server);
}
