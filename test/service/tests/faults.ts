import { bodyOf } from '../../helpers/origin.ts';
import { begin, configure, get } from '../scene.ts';
import type { Promises } from '../suite.ts';

const body = bodyOf('package', 100_000);
const files = { '/distfiles/aa/a-1.tar': body };
/** HOST is the first line. */
const wrong = { PORT: '4000', PROT: '4000' };
const reason = /Cannot \S+ "\/etc\/conf\.d\/package-cache".*\b3\b.*PROT.*PORT/;

/** What the admin did wrong is said, and does no harm. */
export const faults: Promises = {
  'a wrong configuration fails the start, with the reason in the log': async (t, scene) => {
    const { host, service } = scene;
    await begin(t, scene, { files });
    await configure(host, wrong);
    t.not((await service.start()).code, 0);
    t.regex(await service.log(), reason);
    t.false(await service.isRunning());
    await configure(host, {});
    t.like(await service.start(), { code: 0 });
  },

  'a reload of a wrong configuration fails, and the daemon goes on as it was': async (t, scene) => {
    const { host, service } = scene;
    await begin(t, scene, { files });
    await service.start();
    const pid = await service.pid();
    await configure(host, wrong);
    t.not((await service.reload()).code, 0);
    t.regex(await service.log(), reason);
    t.true(await service.isRunning());
    t.is(await service.pid(), pid);
    t.true((await get(scene, '/distfiles/aa/a-1.tar')).body.equals(body));
  },

  'a port that is taken fails the start, with the reason in the log': async (t, scene) => {
    const { host, service } = scene;
    const origin = await begin(t, scene, { files });
    await configure(host, { SOURCES: origin.url, PORT: '4001' }, 'debian');
    await service.start('debian');
    t.teardown(() => service.stop('debian'));
    await configure(host, { SOURCES: origin.url, PORT: '4001' });
    // systemd goes on trying, and tells that it does.
    const started = await service.start();
    if (host.kind.init === 'openrc') t.not(started.code, 0);
    t.regex(await service.log(), /Cannot listen on .*:4001/);
    await service.stop();
    t.is(await service.pid(), 0);
  },
};
