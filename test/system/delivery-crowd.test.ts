import test from 'ava';
import { meetCrowd } from '../helpers/crowd-scene.ts';

test('no byte of one client reaches another: 3,000 come, most of them leave in the middle', async (t) => {
  await meetCrowd(t, { clients: 3000, sendfile: 'yes' });
});
