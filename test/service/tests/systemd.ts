import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { bodyOf } from '../../helpers/origin.ts';
import type { Host } from '../host/host.ts';
import { answers, begin, configure, get, stored, until } from '../scene.ts';
import type { Promises } from '../suite.ts';

const body = bodyOf('package', 100_000);
const files = { '/distfiles/aa/a-1.tar': body };
const units = '/usr/local/lib/systemd/system';

/** Adds to a unit what `systemctl edit` would, for as long as the test runs. */
async function edit(t: ExecutionContext, host: Host, unit: string, lines: readonly string[]) {
  const folder = `/etc/systemd/system/${unit}.d`;
  const text = lines.join('\n');
  await host.sh(`mkdir -p ${folder}; echo '${text}' >${folder}/test.conf; systemctl daemon-reload`);
  t.teardown(() => host.sh(`rm -r ${folder}; systemctl daemon-reload`));
}

/** What only systemd has. */
export const ofSystemd: Promises = {
  'systemd has nothing to say against the units, and little against their exposure': async (
    t,
    { host },
  ) => {
    const names = ['package-cache.service', 'package-cache@debian.service', 'package-cache.socket'];
    for (const name of names) {
      const verify = ['systemd-analyze', 'verify', '--man=no', `${units}/${name}`];
      t.like(await host.run(verify), { code: 0, stdout: '', stderr: '' });
    }
    for (const name of ['package-cache.service', 'package-cache@.service']) {
      const options = ['--offline=true', '--threshold=13', '--no-pager'];
      const { code, stdout } = await host.run([
        'systemd-analyze',
        'security',
        ...options,
        `${units}/${name}`,
      ]);
      t.is(code, 0, stdout);
    }
  },

  'systemctl status tells what it does, and a wrong configuration is not tried again': async (
    t,
    scene,
  ) => {
    const { host, service } = scene;
    await begin(t, scene, { files });
    await service.start();
    const show = (property: string) =>
      host.sh(`systemctl show --value --property ${property} package-cache`);
    t.regex(await show('StatusText'), /\w/);
    await service.stop();
    await configure(host, { PROT: '4000' });
    await service.start();
    t.is(await show('ExecMainStatus'), '78\n');
    t.is(await show('ActiveState'), 'failed\n');
    t.is(await show('NRestarts'), '0\n');
  },

  'a daemon that hangs is started again': async (t, scene) => {
    const { host, service } = scene;
    await edit(t, host, 'package-cache.service', ['[Service]', 'WatchdogSec=3']);
    await begin(t, scene, { files });
    await service.start();
    const pid = await service.pid();
    await host.sh(`kill -STOP ${pid}`);
    await until('another one runs', async () => ![0, pid].includes(await service.pid()));
    await answers(scene);
    t.regex(await service.log(), /Watchdog timeout/);
  },

  'without its native addon it tells systemd through a program': async (t, scene) => {
    const { host, service } = scene;
    await edit(t, host, 'package-cache.service', ['[Service]', 'WatchdogSec=3']);
    await begin(t, scene, { files });
    const native = '/usr/local/lib/package-cache/build/native';
    await host.sh(`mv ${native} ${native}.off`);
    t.teardown(() => host.sh(`mv ${native}.off ${native}`));
    t.like(await service.start(), { code: 0 });
    const pid = await service.pid();
    // Twice the time of the watchdog.
    await pause(6000);
    t.is(await service.pid(), pid);
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
  },

  'with the socket it starts on the first request, and a restart refuses nobody': async (
    t,
    scene,
  ) => {
    const { host, service } = scene;
    await edit(t, host, 'package-cache.socket', ['[Socket]', 'ListenStream=', 'ListenStream=4000']);
    await begin(t, scene, { files });
    await host.sh('systemctl start package-cache.socket');
    t.teardown(() => host.sh('systemctl stop package-cache.socket package-cache.service'));
    t.false(await service.isRunning());
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
    let done = false;
    const restarts = (async () => {
      for (let round = 0; round < 3; round += 1) t.like(await service.restart(), { code: 0 });
    })().finally(() => {
      done = true;
    });
    let served = 0;
    while (!done) {
      const answer = await get(scene, '/distfiles/aa/a-1.tar');
      t.true(answer.body.equals(body));
      served += 1;
    }
    await restarts;
    t.true(served > 3);
    t.log(`${served} requests`);
  },

  'a CACHE_DIR elsewhere is refused with the line that admits it': async (t, scene) => {
    const { host, service } = scene;
    const origin = await begin(t, scene, { files });
    await host.sh('mkdir -p /srv/packages; chown package-cache: /srv/packages');
    await configure(host, { SOURCES: origin.url, CACHE_DIR: '/srv/packages' });
    t.not((await service.start()).code, 0);
    t.regex(await service.log(), /"\/srv\/packages".*ReadWritePaths=\/srv\/packages/);
    const line = 'ReadWritePaths=/srv/packages';
    await edit(t, host, 'package-cache.service', ['[Service]', line]);
    t.like(await service.start(), { code: 0 });
    await get(scene, '/distfiles/aa/a-1.tar');
    await stored(scene, '/srv/packages/distfiles/aa/a-1.tar');
    t.pass();
  },
};
