import { connect } from 'node:net';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { gate, startOrigin } from '../helpers/origin.ts';

test('a client that leaves before a source has answered leaves no connection behind', async (t) => {
  const held = gate();
  const origin = await startOrigin(t, {
    files: { '/search': { generate: { seed: 1, size: 8 * 1024 ** 2 }, delayHead: held } },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const client = connect(daemon.port, '127.0.0.1');
  client.on('error', () => {});
  client.write('GET /search?q=1 HTTP/1.1\r\nHost: cache\r\n\r\n');
  await held.reached;
  client.resetAndDestroy();
  // The reset is older than these, so that it has been noticed.
  for (let time = 0; time < 3; time += 1) await daemon.get('/.package-cache/health');
  held.open();
  const request = await origin.arrived('/search?q=1');
  await t.notThrowsAsync(request.gone);
});
