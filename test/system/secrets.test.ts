import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { begin, here, type Outcome } from '../ctl/here.ts';
import { launchBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { type Daemon, runDaemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { receiveDatagrams } from '../helpers/native-sockets.ts';
import {
  type Answer,
  bodyOf,
  gate,
  type Origin,
  type OriginRequest,
  refusedPort,
  startOrigin,
} from '../helpers/origin.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';
import { processOf, secretOf, textsBelow } from '../helpers/secrets.ts';
import { linesThrough, whenThere } from '../helpers/watching.ts';

const body = bodyOf('package', 300_000);

const [old, fresh, ofProxy] = [secretOf('0ld'), secretOf('fr3sh'), secretOf('pr0xy')];
const allForms = [old, fresh, ofProxy].flatMap(({ forms }) => forms);

/** The forms of secrets that a text holds. */
function leaksIn(text: string): readonly string[] {
  return allForms.filter((form) => text.includes(form));
}

/** Holds what was said, by whom, and lets nothing through that holds a secret. */
function holdsNone(t: ExecutionContext, said: Readonly<Record<string, string>>): void {
  for (const [where, text] of Object.entries(said)) {
    t.deepEqual(leaksIn(text), [], `${where}: ${text}`);
  }
}

/** What a client gets to see, whole. */
async function ask(daemon: Pick<Daemon, 'get'>, target: string): Promise<string> {
  const { body: bytes, ...head } = await daemon.get(target);
  return `${JSON.stringify(head)}\n${bytes}`;
}

const commands = [
  ['status'],
  ['stats'],
  ['sources'],
  ['downloads'],
  ['ls'],
  ['why', '/distfiles/aa/hit'],
  ['why', '/distfiles/aa/missing'],
  ['why', '/nowhere/distfiles/aa/x'],
  ['fetch', '/distfiles/aa/broken'],
  ['verify'],
  ['log-level'],
];

/** All that the control program says, in both languages. */
async function tell({ controlSocket: socket }: Daemon): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const command of commands) {
    for (const args of [command, [...command, '--json']]) {
      const { out, err } = await here(args, { socket, now: Date.now });
      said[args.join(' ')] = out + err;
    }
  }
  return said;
}

/** Watches in both languages until the test has seen enough. */
function watchAll({ controlSocket: socket }: Daemon) {
  const stop = new AbortController();
  const running = [[], ['--json']].map((more) =>
    begin(['watch', '--requests', ...more], { socket, stop: stop.signal, now: Date.now }),
  );
  return async (until: string): Promise<readonly Outcome[]> => {
    await Promise.all(running.map(({ shows }) => shows(until)));
    stop.abort();
    return Promise.all(running.map(({ ended }) => ended));
  };
}

const failures: Readonly<Record<string, Answer>> = {
  unauthorized: { status: 401, fields: [['WWW-Authenticate', 'Basic realm="mirror"']] },
  forbidden: { status: 403 },
  missing: { status: 404 },
  broken: { status: 503 },
  cut: { body, cutAfter: 100_000 },
  raw: { raw: 'no HTTP\r\n\r\n' },
  loop: { status: 302, fields: [['Location', '/distfiles/aa/loop']] },
  // A source that knows the credentials gives them back in all it says.
  echo: { status: 302, fields: [['Location', old.lend('ftp://mirror.example.org/')]] },
};

function serveAll(origin: Origin, elsewhere: Origin): void {
  for (const name of ['hit', 'new']) origin.serve(`/distfiles/aa/${name}`, body);
  for (const [name, answer] of Object.entries(failures)) {
    origin.serve(`/distfiles/aa/${name}`, answer);
  }
  const away = old.lend(`${elsewhere.url}away`);
  origin.serve('/distfiles/aa/away', { status: 302, fields: [['Location', away]] });
  elsewhere.serve('/away', body);
}

test('credentials of a source get to that source and nowhere else, whatever happens', async (t) => {
  t.timeout(120_000);
  const [origin, elsewhere] = [await startOrigin(t), await startOrigin(t)];
  serveAll(origin, elsewhere);
  const held = gate();
  origin.serve('/distfiles/aa/held', (_: OriginRequest, time: number) =>
    time === 1 ? { body, chunks: { gate: held, after: 200_000 } } : { body },
  );
  const folder = await tempDir(t);
  plantRepository(`${folder}/gentoo`, { 'app-misc/hit': [distLine('hit', body)] });
  const manager = await receiveDatagrams(t, join(folder, 'notify'));
  const conf = (secret: typeof old) => ({
    LOG_LEVEL: 'debug',
    ACCESS_LOG: `${folder}/access.log`,
    MANIFESTS: `${folder}/gentoo`,
    SOURCES: secret.lend(origin.url),
    SOURCES_nowhere: secret.lend('http://mirror.invalid/'),
  });
  const SOURCES_dead = old.lend(`http://127.0.0.1:${await refusedPort(t)}/`);
  const daemon = await startDaemon(t, {
    conf: { ...conf(old), SOURCES_dead },
    env: { NOTIFY_SOCKET: join(folder, 'notify') },
  });
  const watched = watchAll(daemon);
  await daemon.logged(/Manifests: /);
  const targets = ['hit', 'hit', 'away', ...Object.keys(failures)].map(
    (name) => `/distfiles/aa/${name}`,
  );
  for (const target of [...targets, '/nowhere/distfiles/aa/x', '/dead/distfiles/aa/x']) {
    holdsNone(t, { [target]: await ask(daemon, target) });
  }
  t.is((await origin.arrived('/distfiles/aa/hit')).headerOf('authorization'), old.basic);
  t.is((await elsewhere.arrived('/away')).headerOf('authorization'), undefined);
  const broken = request({ port: daemon.port, target: '/distfiles/aa/held' });
  broken.catch(() => {});
  await held.reached;
  const partials = join(daemon.cacheDir, '.package-cache/partial');
  await whenThere(partials, async () => (await readdir(partials)).find((n) => /\.json$/.test(n)));
  holdsNone(t, { ...(await tell(daemon)), ...(await processOf(daemon.pid)) });
  await ask(daemon, '/distfiles/aa/last');
  for (const { out, err } of await watched('/aa/last')) holdsNone(t, { watch: out + err });
  await daemon.kill();
  await broken.catch(() => {});
  holdsNone(t, await textsBelow(daemon.cacheDir));

  const before = daemon.log().length;
  await daemon.restart();
  await daemon.logged(/Manifests: /, before);
  const logFile = { LOG_FILE: `${folder}/package-cache.log` };
  await daemon.configure({ ...conf(fresh), SOURCES_dead: 'http://x:pl/nt+fr3sh@h/', ...logFile });
  const refused = await here(['reload'], { socket: daemon.controlSocket });
  t.not(refused.code, 0);
  daemon.signal('SIGHUP');
  await daemon.logged(/the configuration stays as it was/);
  await daemon.configure({ ...conf(fresh), ...logFile });
  const reloaded = await here(['reload', '--json'], { socket: daemon.controlSocket });
  t.is(reloaded.code, 0, reloaded.err);
  holdsNone(t, { refused: refused.out + refused.err, reloaded: reloaded.out });
  for (const target of ['held', 'new', 'broken']) {
    holdsNone(t, { [target]: await ask(daemon, `/distfiles/aa/${target}`) });
  }
  t.is((await origin.arrived('/distfiles/aa/new')).headerOf('authorization'), fresh.basic);
  await linesThrough(logFile.LOG_FILE, /stored "distfiles\/aa\/new"/);
  holdsNone(t, await tell(daemon));
  await daemon.stop();
  const said = { log: daemon.log().join('\n'), status: manager.messages.join('\n') };
  holdsNone(t, { ...said, ...(await textsBelow(daemon.cacheDir)) });
  const { LOG_FILE: log } = logFile;
  for (const path of [log, `${folder}/access.log`]) {
    const text = await readFile(path, 'utf8');
    t.regex(text, /aa\/new/);
    holdsNone(t, { [path]: text });
  }
});

test('credentials of the proxy get to the proxy and nowhere else, whether it helps or not', async (t) => {
  const proxy = await startOrigin(t);
  proxy.serve('/distfiles/aa/hit', body);
  const refusal = { status: 407, fields: [['Proxy-Authenticate', 'Basic realm="proxy"']] } as const;
  proxy.serve('/distfiles/aa/refused', refusal);
  const daemon = await startDaemon(t, {
    sources: [old.lend('http://mirror.invalid/')],
    conf: {
      LOG_LEVEL: 'debug',
      UPSTREAM_PROXY: ofProxy.lend(proxy.url),
      // To this proxy every CONNECT is a wrong method.
      SOURCES_secure: old.lend('https://mirror.invalid/'),
    },
  });
  const paths = ['/distfiles/aa/hit', '/distfiles/aa/refused', '/secure/distfiles/aa/x'];
  for (const path of paths) holdsNone(t, { [path]: await ask(daemon, path) });
  const asked = await proxy.arrived('/distfiles/aa/hit');
  t.is(asked.headerOf('proxy-authorization'), ofProxy.basic);
  await proxy.stop();
  holdsNone(t, { stopped: await ask(daemon, '/distfiles/aa/later') });
  holdsNone(t, { ...(await tell(daemon)), ...(await processOf(daemon.pid)) });
  await daemon.configure({ UPSTREAM_PROXY: fresh.lend(proxy.url) });
  daemon.signal('SIGHUP');
  await daemon.logged(/restart is needed for .*UPSTREAM_PROXY/);
  await daemon.stop();
  holdsNone(t, { log: daemon.log().join('\n'), ...(await textsBelow(daemon.cacheDir)) });
});

for (const [key, url] of [
  ['SOURCES', old.lend('http://h:port/')],
  ['SOURCES_debian', 'http://agent-0ld:pl/nt+0ld@h/'],
  ['UPSTREAM_PROXY', old.lend('https://h/')],
] as const) {
  test(`the error about a malformed ${key} does not hold its credentials`, async (t) => {
    const folder = await tempDir(t);
    const file = join(folder, 'package-cache.conf');
    await writeFile(file, `CACHE_DIR="${folder}/cache"\n${key}="${url}"\n`);
    for (const more of [[], ['--check-config']]) {
      const { code, stdout, stderr } = await runDaemon(['--config', file, ...more]);
      t.is(code, 78);
      t.true(stderr.includes(key), stderr);
      holdsNone(t, { [url]: stdout + stderr });
    }
  });
}

test('a start that fails for another reason tells no credentials', async (t) => {
  const folder = await tempDir(t);
  const [file, log] = [join(folder, 'package-cache.conf'), join(folder, 'log')];
  const urls = `SOURCES="${old.lend('http://h/')}"\nUPSTREAM_PROXY="${ofProxy.lend('http://p/')}"\n`;
  await writeFile(file, `${urls}CACHE_DIR="${file}"\nLOG_FILE="${log}"\nLOG_LEVEL="debug"\n`);
  const { code, stdout, stderr } = await runDaemon(['--config', file]);
  t.is(code, 78);
  holdsNone(t, { failed: stdout + stderr + (await readFile(log, 'utf8').catch(() => '')) });
});

test('a password on the command line is gone from the list of processes once the daemon runs', async (t) => {
  const args = ['--source', old.lend('http://127.0.0.1:9/')];
  const daemon = launchBare(t, { cacheDir: await tempDir(t), args });
  await daemon.port;
  const line = await readFile(`/proc/${daemon.pid}/cmdline`, 'latin1');
  t.regex(line, /^package-cache\0/);
  t.deepEqual(leaksIn(line), []);
});
