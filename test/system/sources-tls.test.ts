import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runDaemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { type Authority, makeAuthority, startTls } from '../helpers/tls.ts';

const target = '/distfiles/aa/package.tar.xz';
const body = bodyOf('package', 300_000);

/** A source on https whose certificate has these names. */
async function startSource(t: ExecutionContext, authority: Authority, names = 'IP:127.0.0.1') {
  const origin = await startOrigin(t, { files: { [target]: body } });
  const port = await startTls(t, { port: origin.port, certificate: authority.issue(names) });
  return { origin, url: `https://127.0.0.1:${port}/` };
}

test('a source on https whose authority is in CA_FILE serves clients on http', async (t) => {
  if (!needs(t, 'openssl')) return;
  const authority = await makeAuthority(t);
  const { url } = await startSource(t, authority);
  const daemon = await startDaemon(t, { sources: [url], conf: { CA_FILE: authority.file } });
  t.true((await daemon.get(target)).body.equals(body));
  await daemon.logged(/stored "/);
  // What its clients call it by http is the same source.
  const answer = await daemon.get(url.replace('https', 'http') + target.slice(1));
  t.is(answer.header('cache-status'), 'package-cache; hit');
});

test('CA_FILE may hold several authorities', async (t) => {
  if (!needs(t, 'openssl')) return;
  const authorities = [await makeAuthority(t), await makeAuthority(t)] as const;
  const bundle = join(await tempDir(t), 'bundle.pem');
  const files = await Promise.all(authorities.map(({ file }) => readFile(file, 'utf8')));
  await writeFile(bundle, files.join('\n'));
  for (const authority of authorities) {
    const { url } = await startSource(t, authority);
    const daemon = await startDaemon(t, { sources: [url], conf: { CA_FILE: bundle } });
    t.is((await daemon.get(target)).status, 200);
  }
});

test('a source that nobody vouches for is told from one that fails, and gets no request', async (t) => {
  if (!needs(t, 'openssl')) return;
  const known = await makeAuthority(t);
  const unknown = await startSource(t, await makeAuthority(t));
  const misnamed = await startSource(t, known, 'DNS:mirror.example.org');
  const daemon = await startDaemon(t, {
    sources: [unknown.url],
    conf: { CA_FILE: known.file, SOURCES_misnamed: misnamed.url },
  });
  const answers = [await daemon.get(target), await daemon.get(`/misnamed${target}`)];
  t.deepEqual(
    answers.map(({ status }) => status),
    [502, 502],
  );
  t.is(unknown.origin.count() + misnamed.origin.count(), 0);
  t.regex(String(answers[0]?.body), /certificate/);
  t.regex(String(answers[1]?.body), /127\.0\.0\.1 is not in the cert's list/);
});

for (const [what, text, reason] of [
  ['no certificate', 'a key, perhaps\n', 'it holds no certificate'],
  [
    'a broken certificate',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    'certificate 1 in it cannot be read',
  ],
] as const) {
  test(`a CA_FILE with ${what} is told before anything starts`, async (t) => {
    const folder = await tempDir(t);
    const file = join(folder, 'ca.pem');
    await writeFile(file, text);
    const conf = join(folder, 'package-cache.conf');
    await writeFile(conf, `CACHE_DIR="${folder}/cache"\nCA_FILE="${file}"\n`);
    for (const check of [['--check-config'], []]) {
      const { code, stderr } = await runDaemon([...check, '--port', '0', '--config', conf]);
      t.is(code, 78);
      t.true(stderr.includes(`Cannot use "${file}": CA_FILE: ${reason}`), stderr);
    }
  });
}
