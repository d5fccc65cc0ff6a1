import { begin } from '../scene.ts';
import type { Promises } from '../suite.ts';

/** After this there is no service left to test. */
export const last: Promises = {
  'uninstall takes all away but configuration, cache, logs and user': async (t, scene) => {
    const { host, service } = scene;
    await begin(t, scene);
    await service.start();
    const pid = await service.pid();
    await host.sh('/src/contrib/install uninstall');
    t.is(await host.sh(`kill -0 ${pid} 2>/dev/null && echo runs || :`), '');
    const found = await host.sh("find /etc /usr /var/lib -name '*package-cache*'");
    // The symlink of an instance is the admin's.
    const kept = /^(\/etc\/conf\.d\/.*|\/etc\/init\.d\/package-cache\.debian|)$/;
    t.deepEqual(
      found.split('\n').filter((path) => !kept.test(path)),
      [],
    );
    await host.sh(
      'test -s /etc/conf.d/package-cache; test -d /var/cache/package-cache; id package-cache',
    );
  },
};
