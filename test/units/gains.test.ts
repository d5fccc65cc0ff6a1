import test from 'ava';
import { createCounters, gainsOf } from '../../daemon/stats.ts';

test('the counters come to ratios from 0 to 1, and to the bytes that were not fetched', (t) => {
  const counted = { requests: 10, hits: 4, bytesServed: 1000, bytesHit: 250, bytesFetched: 400 };
  t.deepEqual(gainsOf({ ...createCounters(), ...counted }), {
    bytesSaved: 600,
    hitRatio: 0.4,
    byteHitRatio: 0.25,
  });
});

test('before the first request there is no ratio, and what nobody asked for yet saves nothing', (t) => {
  t.deepEqual(gainsOf({ ...createCounters(), bytesFetched: 5 }), {
    bytesSaved: 0,
    hitRatio: null,
    byteHitRatio: null,
  });
});
