import type { ExecutionContext } from 'ava';
import { bodyOf, type Gate, gate } from '../../helpers/origin.ts';
import {
  answers,
  begin,
  configure,
  fetchStored,
  get,
  type Scene,
  stream,
  until,
} from '../scene.ts';
import type { Promises } from '../suite.ts';

const small = bodyOf('small', 50_000);
const large = bodyOf('large', 3_000_000);
const first = 1_000_000;

/** An origin whose large file stops in the middle the first time, until the gate is open. */
async function beginHalfway(t: ExecutionContext, scene: Scene) {
  const halfway: Gate = gate();
  const origin = await begin(t, scene, {
    files: {
      '/distfiles/aa/small-1.tar': small,
      '/distfiles/aa/large-1.tar': (_request, time) =>
        time === 1 ? { body: large, chunks: { gate: halfway, after: first } } : { body: large },
    },
  });
  await scene.service.start();
  await fetchStored(scene, '/distfiles/aa/small-1.tar');
  const client = stream(t, scene, '/distfiles/aa/large-1.tar');
  await client.read(first);
  // A crash takes along what has no record yet, which is as young as this.
  await until('there is a record of it', () => hasRecord(scene));
  return { origin, halfway, client };
}

async function hasRecord({ host }: Scene): Promise<boolean> {
  const partials = await host.sh('ls /var/cache/package-cache/.package-cache/partial');
  return partials.trim().split('\n').length > 1;
}

/** What is left of the large file is asked for, and no more; then it is whole. */
async function isResumed(
  t: ExecutionContext,
  scene: Scene,
  origin: Awaited<ReturnType<typeof begin>>,
) {
  const again = await origin.arrived('/distfiles/aa/large-1.tar', 2);
  t.is(again.headerOf('range'), `bytes=${first}-`);
  t.true((await get(scene, '/distfiles/aa/large-1.tar')).body.equals(large));
  t.true((await get(scene, '/distfiles/aa/small-1.tar')).body.equals(small));
  t.is(origin.count('/distfiles/aa/large-1.tar'), 2);
  t.is(origin.count('/distfiles/aa/small-1.tar'), 1);
}

/** What happens to downloads when something happens to the service. */
export const life: Promises = {
  'enabled, it is started by a boot': async (t, scene) => {
    await begin(t, scene, { files: { '/distfiles/aa/small-1.tar': small } });
    t.like(await scene.service.enable(), { code: 0 });
    t.like(await scene.service.boot(), { code: 0 });
    await answers(scene);
    t.true(await scene.service.isRunning());
  },

  'a reload takes the configuration over and keeps a running download': async (t, scene) => {
    const { origin, halfway, client } = await beginHalfway(t, scene);
    const pid = await scene.service.pid();
    await configure(scene.host, { SOURCES: origin.url, MUTABLE_TTL: '7s' });
    t.like(await scene.service.reload(), { code: 0 });
    t.regex(await scene.service.log(), /reloaded: MUTABLE_TTL changed/);
    halfway.open();
    t.true((await client.rest()).body.equals(large.subarray(first)));
    t.is(origin.count('/distfiles/aa/large-1.tar'), 1);
    t.is(await scene.service.pid(), pid);
  },

  'a restart gives a download its time, and resumes what was not done by then': async (
    t,
    scene,
  ) => {
    const { origin, client } = await beginHalfway(t, scene);
    const begun = Date.now();
    t.like(await scene.service.restart(), { code: 0 });
    const took = Date.now() - begun;
    t.true(took > 15_000 && took < 35_000, `${took} ms`);
    t.is((await client.rest()).ended, 'reset');
    await isResumed(t, scene, origin);
  },

  'a daemon that is killed is started again, and nothing is lost': async (t, scene) => {
    const { origin } = await beginHalfway(t, scene);
    const pid = await scene.service.pid();
    await scene.host.sh(`kill -KILL ${pid}`);
    await until('another one runs', async () => ![0, pid].includes(await scene.service.pid()));
    await answers(scene);
    await isResumed(t, scene, origin);
    t.true(await scene.service.isRunning());
  },
};
