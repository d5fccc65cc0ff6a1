import test from 'ava';
import { createEvents, type Event } from '../../daemon/events.ts';

test('an event reaches whoever listens at that moment', (t) => {
  const events = createEvents(() => 7);
  const heard: Event[] = [];
  events.emit('cull', 'a', 'before');
  const stop = events.listen({ requests: false, hear: (event) => heard.push(event) });
  events.emit('cull', 'a', 'meanwhile');
  stop();
  events.emit('cull', 'a', 'after');
  t.deepEqual(heard, [{ at: 7, kind: 'cull', thing: 'a', text: 'meanwhile' }]);
});

test('requests are told only to those who ask for them', (t) => {
  const events = createEvents();
  const [all, some]: [string[], string[]] = [[], []];
  t.false(events.wantsRequests);
  events.listen({ requests: false, hear: ({ kind }) => some.push(kind) });
  t.false(events.wantsRequests);
  const stop = events.listen({ requests: true, hear: ({ kind }) => all.push(kind) });
  t.true(events.wantsRequests);
  events.emit('request', '/', 'GET 200');
  events.emit('stored', 'a', 'from b');
  t.deepEqual([all, some], [['request', 'stored'], ['stored']]);
  stop();
  t.false(events.wantsRequests);
});
