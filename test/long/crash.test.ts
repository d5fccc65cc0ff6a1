import test from 'ava';
import { survivesKills } from '../helpers/kills.ts';

test('two hundred kills under load lose nothing that was stored and spoil nothing', async (t) => {
  t.timeout(900_000);
  await survivesKills(t, 200);
});
