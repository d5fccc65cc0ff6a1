import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { dialControl } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const body = bodyOf('package', 1001);
const target = '/distfiles/3c/package.tar.xz';

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
}

test('logs that are moved away under load lose no line and double none, whatever was asked', async (t) => {
  const folder = await tempDir(t);
  const [access, log] = [join(folder, 'access.log'), join(folder, 'daemon.log')];
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const conf = { ACCESS_LOG: access, LOG_FILE: log, LOG_LEVEL: 'debug' };
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get(target);
  await daemon.configure(conf);
  const control = await dialControl(t, daemon.controlSocket);
  await control.call('reload');
  let [asked, running] = [0, true];
  const client = async () => {
    while (running) {
      asked += 1;
      await daemon.get(target, { fields: [['User-Agent', `n${asked}n`]] });
    }
  };
  const clients = Promise.all([client(), client(), client(), client()]);
  const moved = new Map<string, string[]>();
  for (let round = 0; round < 5; round += 1) {
    const goal = asked + 60;
    while (asked < goal) await daemon.get('/.package-cache/health');
    for (const path of [access, log]) await rename(path, `${path}.${round}`);
    // The answer says that whoever compresses the old files now loses nothing.
    await control.call('reload');
    for (const path of [access, log]) {
      moved.set(`${path}.${round}`, await linesOf(`${path}.${round}`));
    }
  }
  running = false;
  await clients;
  await daemon.stop();
  for (const [path, lines] of moved) t.deepEqual(await linesOf(path), lines, path);
  const all = [...moved].filter(([path]) => path.startsWith(access)).flatMap(([, lines]) => lines);
  const agents = [...all, ...(await linesOf(access))].map((line) => /"n(\d+)n"/.exec(line)?.[1]);
  t.deepEqual(
    agents.map(Number).toSorted((left, right) => left - right),
    Array.from({ length: asked }, (_, index) => index + 1),
  );
  const said = [...moved].filter(([path]) => path.startsWith(log)).flatMap(([, lines]) => lines);
  const reloads = [...said, ...(await linesOf(log))].filter((line) => line.includes('reloaded'));
  t.is(reloads.length, 6, reloads.join('\n'));
  // Until LOG_FILE was set, and never after.
  t.false(daemon.log().some((line) => /stopp/.test(line)));
});
