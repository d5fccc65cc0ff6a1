import { readFile } from 'node:fs/promises';
import { bodyOf } from '../../helpers/origin.ts';
import { answers, begin, configure, fetchStored, get, until } from '../scene.ts';
import type { Promises } from '../suite.ts';

const body = bodyOf('package', 100_000);
const files = { '/distfiles/aa/a-1.tar': body };

/** What only OpenRC has. */
export const ofOpenrc: Promises = {
  'a restart into a wrong configuration is refused, and the daemon goes on': async (t, scene) => {
    const { host, service } = scene;
    await begin(t, scene, { files });
    await service.start();
    const pid = await service.pid();
    await configure(host, { PROT: '4000' });
    const { code, stderr } = await service.restart();
    t.not(code, 0);
    t.regex(stderr, /PROT/);
    t.is(await service.pid(), pid);
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
  },

  'its status tells of a daemon that hangs, and a health check starts it again': async (
    t,
    scene,
  ) => {
    const { host, service } = scene;
    const origin = await begin(t, scene, { files });
    await service.start();
    const hung = await service.pid();
    await host.sh(`kill -STOP ${hung}`);
    const { code, stderr } = await host.run(['rc-service', 'package-cache', 'status']);
    t.is(code, 32, stderr);
    t.regex(stderr, /does not answer/);
    await host.sh(`kill -CONT ${hung}`);
    const checked = { healthcheck_timer: '2', healthcheck_delay: '1', retry: 'TERM/1/KILL/2' };
    await configure(host, { SOURCES: origin.url, ...checked });
    t.like(await service.restart(), { code: 0 });
    const pid = await service.pid();
    await host.sh(`kill -STOP ${pid}`);
    const another = async () => ![0, pid].includes(await service.pid());
    await until('another one runs', another, 60_000);
    await answers(scene);
    t.true(await service.isRunning());
  },

  'a port below 1024 is had as root, which the daemon then is no more': async (t, scene) => {
    const { host, service } = scene;
    const origin = await begin(t, scene, { files });
    await configure(host, { SOURCES: origin.url, PORT: '80' });
    const refused = await service.start();
    t.not(refused.code, 0);
    t.regex(refused.stderr, /PC_USER/);
    await configure(host, { SOURCES: origin.url, PORT: '80', PC_USER: 'package-cache' });
    t.like(await service.start(), { code: 0 });
    t.true((await get(scene, '/distfiles/aa/a-1.tar', { port: 80 })).body.equals(body));
    const status = await readFile(host.path(`/proc/${await service.pid()}/status`), 'latin1');
    const uid = (await host.sh('id -u package-cache')).trim();
    t.regex(status, new RegExp(`^Uid:\\s${uid}\\s`, 'm'));
    t.regex(status, /^CapEff:\t0+$/m);
    await service.stop();
    await host.sh('! find /var/cache/package-cache ! -user package-cache | grep .');
  },
};

/** For the start-stop-daemon of OpenRC: Debian had that of dpkg instead until bookworm. */
export const ofStartStopDaemon: Promises = {
  'start-stop-daemon runs it as well, and its status tells of a crash': async (t, scene) => {
    const { host, service } = scene;
    await begin(t, scene, { files, conf: { supervisor: '' } });
    t.like(await service.start(), { code: 0 });
    t.true((await fetchStored(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
    t.like(await service.reload(), { code: 0 });
    t.like(await service.restart(), { code: 0 });
    const pid = (await readFile(host.path('/run/package-cache.pid'), 'latin1')).trim();
    const status = await readFile(host.path(`/proc/${pid}/status`), 'latin1');
    const uid = (await host.sh('id -u package-cache')).trim();
    t.regex(status, new RegExp(`^Uid:\\s${uid}\\s`, 'm'));
    await host.sh(`kill -KILL ${pid}`);
    await until('the crash is seen', async () => !(await service.isRunning()));
    t.like(await host.run(['rc-service', 'package-cache', 'status']), { code: 32 });
    t.like(await service.restart(), { code: 0 });
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
  },
};
