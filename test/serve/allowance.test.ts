import test from 'ava';
import fc from 'fast-check';
import { connectionDoubt, connectionsWithin } from '../../daemon/serve/allowance.ts';

const usual = { maxConnections: 4096, maxFills: 64, maxControlConnections: 32 };

test('what the services grant is enough for the defaults', (t) => {
  t.is(connectionsWithin(16_384, usual), 4096);
  t.is(connectionDoubt(16_384, usual), undefined);
  t.is(connectionsWithin(16_380, usual), 4095);
});

test('with fewer open files there are fewer connections, and downloads come first', (t) => {
  t.is(connectionsWithin(4096, usual), 1024);
  t.is(connectionsWithin(1024, usual), 224);
  t.is(connectionsWithin(4096, { ...usual, maxFills: 1000 }), 440);
});

test('the admin is told how many there are, and what would be enough', (t) => {
  t.is(
    connectionDoubt(1024, usual),
    'Cannot keep to MAX_CONNECTIONS "4096": with 1024 open files 224 connections are let in; raise that limit to 16384 (ulimit -n, LimitNOFILE= of a unit, rc_ulimit)',
  );
});

test('what is said to be enough is enough, and whoever has few files serves a few', (t) => {
  const count = fc.integer({ min: 1, max: 1_000_000 });
  const demands = fc.record({
    maxConnections: count,
    maxFills: count,
    maxControlConnections: count,
  });
  const property = fc.property(count, demands, (descriptors, wanted) => {
    const possible = connectionsWithin(descriptors, wanted);
    if (possible < 1 || possible > wanted.maxConnections) return false;
    const doubt = connectionDoubt(descriptors, wanted);
    if (doubt === undefined) return possible === wanted.maxConnections;
    const enough = Number(/raise that limit to (\d+)/.exec(doubt)?.[1]);
    return connectionsWithin(enough, wanted) === wanted.maxConnections;
  });
  t.notThrows(() => fc.assert(property));
});
