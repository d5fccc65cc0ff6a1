import test from 'ava';
import { meetCrowd } from '../helpers/crowd-scene.ts';

for (const sendfile of ['yes', 'no'] as const) {
  test(`no byte of one client reaches another: 20,000 come, with SENDFILE=${sendfile}`, async (t) => {
    await meetCrowd(t, { clients: 20_000, sendfile });
  });
}
