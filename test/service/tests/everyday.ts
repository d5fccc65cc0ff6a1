import { readFile } from 'node:fs/promises';
import { bodyOf } from '../../helpers/origin.ts';
import { answers, begin, configure, fetchStored, get, stored, until } from '../scene.ts';
import type { Promises } from '../suite.ts';

const body = bodyOf('package', 300_000);
const files = { '/distfiles/aa/a-1.tar': body };

/** What an admin does with the service, and what is seen of it then. */
export const everyday: Promises = {
  'a package is fetched through it once, and then served from disk': async (t, scene) => {
    const origin = await begin(t, scene, { files });
    t.like(await scene.service.start(), { code: 0, stderr: '' });
    // No waiting: started means that it answers.
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
    t.is(origin.count(), 1);
    t.true(await scene.service.isRunning());
    t.like(await scene.service.stop(), { code: 0 });
    t.false(await scene.service.isRunning());
  },

  'package-cache-ctl stats tells of it from inside, and cull removes what is old': async (
    t,
    scene,
  ) => {
    await begin(t, scene, { files });
    const { host, service } = scene;
    await service.start();
    await fetchStored(scene, '/distfiles/aa/a-1.tar');
    await host.sh(`
      cp /var/cache/package-cache/distfiles/aa/a-1.tar /var/cache/package-cache/distfiles/aa/old-1.tar
      chown package-cache: /var/cache/package-cache/distfiles/aa/old-1.tar
      touch -a -d '100 days ago' /var/cache/package-cache/distfiles/aa/old-1.tar
    `);
    const stats = JSON.parse(await host.sh('package-cache-ctl --json stats'));
    t.is(stats.lifetime.misses, 1, JSON.stringify(stats));
    await host.sh('package-cache-ctl cull --older-than 90d');
    t.is(await host.sh('ls /var/cache/package-cache/distfiles/aa'), 'a-1.tar\n');
  },

  'it runs as its own user, and every file is whose it should be': async (t, scene) => {
    const account = { PC_USER: 'package-cache', PC_GROUP: 'package-cache' };
    const conf = { ...account, ACCESS_LOG: '/var/log/package-cache/access.log' };
    await begin(t, scene, { files, conf });
    const { host, service } = scene;
    await service.start();
    await fetchStored(scene, '/distfiles/aa/a-1.tar');
    const status = await readFile(host.path(`/proc/${await service.pid()}/status`), 'latin1');
    const uid = (await host.sh('id -u package-cache')).trim();
    const gid = (await host.sh('id -g package-cache')).trim();
    t.true(status.includes(`\nUid:\t${[uid, uid, uid, uid].join('\t')}\n`), status);
    t.true(status.includes(`\nGid:\t${[gid, gid, gid, gid].join('\t')}\n`), status);
    t.regex(status, /^CapEff:\t0+$/m);
    const own = '/var/cache/package-cache /var/log/package-cache /run/package-cache';
    t.is(await host.sh(`find ${own} ! -user package-cache -o ! -group package-cache`), '');
    const foreign = '/usr/local /etc/logrotate.d /etc/conf.d';
    t.is(await host.sh(`find ${foreign} ! -user root`), '');
    t.is(await host.sh(`find ${own} ${foreign} ! -type l -perm -o=w`), '');
    const modes = await host.sh(`stat -c '%a %U:%G' /etc/conf.d/package-cache \
      /run/package-cache/control.sock /var/cache/package-cache/distfiles/aa/a-1.tar`);
    t.is(
      modes,
      '640 root:package-cache\n660 package-cache:package-cache\n644 package-cache:package-cache\n',
    );
  },

  'an instance has its own configuration, port, cache, control socket and log': async (
    t,
    scene,
  ) => {
    const { host, service } = scene;
    const origin = await begin(t, scene, { files });
    await configure(host, { SOURCES: origin.url, PORT: '4001' }, 'debian');
    if (host.kind.init === 'openrc') {
      await host.sh('ln -sf package-cache /etc/init.d/package-cache.debian');
    }
    t.teardown(() => service.stop('debian'));
    t.like(await service.start(), { code: 0 });
    t.like(await service.start('debian'), { code: 0 });
    await answers(scene);
    t.true((await get(scene, '/distfiles/aa/a-1.tar', { port: 4001 })).body.equals(body));
    await stored(scene, '/var/cache/package-cache.debian/distfiles/aa/a-1.tar');
    t.is(await host.sh('ls /var/cache/package-cache'), '');
    const socket = '--socket /run/package-cache.debian/control.sock';
    const status = JSON.parse(await host.sh(`package-cache-ctl --json ${socket} status`));
    t.is(status.configFile, '/etc/conf.d/package-cache.debian');
    t.like(await service.reload('debian'), { code: 0 });
    t.like(await service.stop(), { code: 0 });
    t.true(await service.isRunning('debian'));
    t.regex(await service.log('debian'), /listening on .*:4001/);
  },

  'its logs go on after logrotate has moved them away': async (t, scene) => {
    const folder = '/var/log/package-cache';
    const conf = { ACCESS_LOG: `${folder}/access.log`, LOG_FILE: `${folder}/package-cache.log` };
    const { host, service } = scene;
    const names = ['access.log', 'package-cache.log'];
    const lines = (name: string) =>
      readFile(host.path(`${folder}/${name}`), 'utf8').catch(() => '');
    const tellOf = async (target: string) => {
      await get(scene, `/${target}`);
      for (const name of names) {
        await until(`${name} tells of ${target}`, async () => (await lines(name)).includes(target));
      }
    };
    await begin(t, scene, { files: { ...files, '/distfiles/aa/b-1.tar': body }, conf });
    await service.start();
    await tellOf('distfiles/aa/a-1.tar');
    await host.sh('logrotate --force /etc/logrotate.d/package-cache');
    for (const name of names) {
      t.regex(await lines(`${name}.1`), /a-1\.tar/);
      t.notRegex(await lines(name), /a-1\.tar/);
    }
    await tellOf('distfiles/aa/b-1.tar');
    t.is(await host.sh(`find ${folder} ! -user package-cache`), '');
  },
};
