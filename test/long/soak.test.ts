import test from 'ava';
import { parseDuration } from '../../daemon/units.ts';
import { soak } from './soak/soak.ts';

const { SOAK = '2m', SOAK_SEED = String(Date.now()) } = process.env;
const duration = parseDuration(SOAK);

test(`${SOAK} of all that clients, sources, admins and disks do leave the daemon as it was`, async (t) => {
  t.timeout(duration + 300_000);
  t.log(`SOAK_SEED=${SOAK_SEED} rolls the same dice again`);
  await soak(t, { duration, seed: SOAK_SEED });
});
