import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { refusedPort } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { type Apt, prepareApt } from './apt-repository.ts';
import { must } from './mirror.ts';

/** A suite of an archive that this machine's own apt is configured with. */
interface Suite {
  readonly archive: string;
  readonly name: string;
}

interface Offer extends Suite {
  readonly repository: string;
  /** Bytes of its compressed index of packages. */
  readonly size: number;
}

test.serial('apt updates and downloads from the real mirror of this machine', async (t) => {
  if (!needs(t, 'apt-get', 'apt-config', 'dpkg')) return;
  const suites = await suitesOfThisMachine();
  if (suites.length === 0) return skip(t, 'the apt of this machine has no mirror');
  const daemon = await startDaemon(t, {
    sources: [],
    conf: { ...confOf(suites), ...(await proxyOfThisMachine()) },
  });
  const offer = await smallest(daemon, suites);
  if (offer === undefined) return skip(t, 'no mirror of this machine can be reached');
  const prefix = { uri: daemon.url + offer.repository, suite: offer.name };
  const path = await downloadSmallest(t, prefix);
  const isHit = async () => {
    const { header } = await daemon.get(`/${offer.repository}/${path}`, { method: 'HEAD' });
    return header('cache-status') === 'package-cache; hit';
  };
  t.true(await isHit());
  // A proxy sees nothing of https.
  if (offer.archive.startsWith('http:')) {
    const proxy = `Acquire::http::Proxy "${daemon.url}";\n`;
    t.is(await downloadSmallest(t, { ...prefix, uri: offer.archive, proxy }), path);
  }
  await daemon.configure(confOf(suites, `http://127.0.0.1:${await refusedPort(t)}/`));
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: SOURCES_apt0/);
  t.is(await downloadSmallest(t, prefix), path);
  t.true(await isHit());
});

function skip(t: ExecutionContext, reason: string): void {
  t.log(`Not tested: ${reason}`);
  t.pass();
}

/** What `apt-get update` would ask for: its own reading of its sources, whatever their form. */
async function suitesOfThisMachine(): Promise<readonly Suite[]> {
  const { stdout } = await run('apt-get', { args: ['update', '--print-uris'] });
  return [...stdout.matchAll(/^'(https?:\/\/\S+\/)dists\/(\S+)\/InRelease'/gm)].map(
    ([, archive = '', name = '']) => ({ archive, name }),
  );
}

/** Each archive as a repository of its own, at its mirror or at another place. */
function confOf(suites: readonly Suite[], place?: string): Record<string, string> {
  const archives = archivesOf(suites);
  const sources = archives.map((archive, at) => [`SOURCES_apt${at}`, place ?? archive]);
  return { MUTABLE_TTL: '0s', ...Object.fromEntries(sources) };
}

function archivesOf(suites: readonly Suite[]): readonly string[] {
  return [...new Set(suites.map(({ archive }) => archive))];
}

/** The proxy on the way to the mirror, where apt or the environment name one. */
async function proxyOfThisMachine(): Promise<Record<string, string>> {
  const shell = await must('apt-config', ['shell', 'proxy', 'Acquire::http::Proxy']);
  const configured = /'(.*)'/.exec(shell)?.[1] ?? process.env.http_proxy ?? '';
  return configured.startsWith('http://') ? { UPSTREAM_PROXY: configured } : {};
}

/** The suite with the fewest packages: enough to test with, and nothing to wait for. */
async function smallest(daemon: Daemon, suites: readonly Suite[]): Promise<Offer | undefined> {
  const machine = (await must('dpkg', ['--print-architecture'])).trim();
  const listed = new RegExp(` (\\d+) main/binary-${machine}/Packages\\.xz$`, 'm');
  const offers: Offer[] = [];
  for (const suite of suites) {
    const repository = `apt${archivesOf(suites).indexOf(suite.archive)}`;
    const { status, body } = await daemon.get(`/${repository}/dists/${suite.name}/InRelease`);
    const size = Number(listed.exec(String(body))?.[1] ?? 0);
    // An empty index is compressed to 32 bytes.
    if (status === 200 && size > 1000) offers.push({ ...suite, repository, size });
  }
  return offers.toSorted((left, right) => left.size - right.size)[0];
}

interface Place {
  readonly uri: string;
  readonly suite: string;
  /** A line of apt.conf(5). */
  readonly proxy?: string;
}

/** A client without a past: updates, downloads its smallest package, and answers its path. */
async function downloadSmallest(t: ExecutionContext, place: Place): Promise<string> {
  const keyrings = await keyringsOfThisMachine();
  const sources = [
    'Types: deb',
    `URIs: ${place.uri}`,
    `Suites: ${place.suite}`,
    'Components: main',
    ...(keyrings === '' ? [] : [`Signed-By: ${keyrings}`]),
    '',
  ];
  const conf = `Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";\n${place.proxy ?? ''}`;
  const apt = await prepareApt(await tempDir(t), { sources: sources.join('\n'), conf });
  t.like(await apt.run('update'), { code: 0, stderr: '' });
  const { name, path } = await smallestPackage(apt);
  t.like(await apt.run('download', name), { code: 0 });
  return path;
}

async function keyringsOfThisMachine(): Promise<string> {
  const places = ['/etc/apt/sources.list', ...(await filesIn('/etc/apt/sources.list.d'))];
  const texts = await Promise.all(places.map((place) => readFile(place, 'utf8').catch(() => '')));
  const named = texts.join('\n').matchAll(/\bsigned-by[:=]\s*(\/[^\]\s]+)/gi);
  return [...new Set([...named].map(([, keyring = '']) => keyring))].join(' ');
}

async function smallestPackage({ lists }: Apt): Promise<{ name: string; path: string }> {
  const [index = ''] = (await filesIn(lists)).filter((file) => file.endsWith('_Packages'));
  const stanzas = (await readFile(index, 'utf8')).split('\n\n').map((stanza) => ({
    name: /^Package: (.*)$/m.exec(stanza)?.[1] ?? '',
    path: /^Filename: (.*)$/m.exec(stanza)?.[1] ?? '',
    size: Number(/^Size: (.*)$/m.exec(stanza)?.[1] ?? Number.POSITIVE_INFINITY),
  }));
  const [least] = stanzas.toSorted((left, right) => left.size - right.size);
  if (least === undefined) throw new Error('The index holds no package');
  return least;
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => /\.(?:list|sources)$|_Packages$/.test(name))
    .map((name) => join(directory, name));
}
