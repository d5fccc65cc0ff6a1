import test from 'ava';
import { bindListener } from '../../daemon/serve/listener.ts';
import { open } from '../helpers/client.ts';

test('who asks before the daemon serves is answered as soon as it does', async (t) => {
  const limits = { maxHeadSize: 16_384, headTimeout: 30_000, idleTimeout: 75_000 };
  const listener = await bindListener({ host: '127.0.0.1', port: 0 }, limits);
  t.teardown(() => listener.close());
  const address = listener.server.address();
  if (address === null || typeof address === 'string') return t.fail('no port');
  listener.server.on('request', (_request, response) => response.end('served'));
  const connected = new Promise((resolve) => listener.server.once('connection', resolve));
  const client = open({ port: address.port, target: '/early', t });
  await connected;
  // Long enough for the request to be read, if anybody reads.
  const heard = new Promise((resolve) => listener.server.once('request', resolve));
  const waited = new Promise((resolve) => setTimeout(resolve, 100, 'waited'));
  t.is(await Promise.race([heard, waited]), 'waited');
  await listener.open(() => {});
  t.is(String((await client.rest()).body), 'served');
});
