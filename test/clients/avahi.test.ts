import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { keys } from '../../daemon/config/keys.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { Log } from '../helpers/log.ts';
import { launch, root } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';

const services = join(root, 'contrib/avahi');

/** Avahi in a network of its own, whose only interface leads nowhere, and with our services. */
const script = `
ip link add lan0 type veth peer name lan1
ip address add 192.168.7.3/24 dev lan0
ip link set lan1 up && ip link set lan0 up
mount -t tmpfs none /run && mkdir /run/avahi-daemon
mount --bind "$1" /etc/avahi/services
exec avahi-daemon -f "$2" --no-drop-root --no-chroot --no-rlimits --no-proc-title`;

test.serial('avahi announces the cache as contrib tells it to', async (t) => {
  if (!needs(t, 'avahi-daemon', 'unshare', 'ip')) return;
  if (process.getuid?.() !== 0) {
    t.log('Not tested: only root may make a network');
    t.pass();
    return;
  }
  const directory = await tempDir(t);
  const server = ['host-name=cache', 'enable-dbus=no', 'allow-interfaces=lan0'];
  await writeTree(directory, { 'avahi.conf': `[server]\n${server.join('\n')}\n` });
  const log = new Log();
  const args = ['--net', '--mount', 'sh', '-c', script, 'sh'];
  const avahi = launch('unshare', {
    args: [...args, services, join(directory, 'avahi.conf')],
    onLine: (line) => log.add(line),
  });
  t.teardown(() => {
    avahi.signal('SIGTERM');
    return avahi.exitWithin(5000);
  });
  log.follow(avahi.exited);
  await log.find(/^Service "package-cache on cache" .* successfully established/);
  const text = await readFile(join(services, 'package-cache.service'), 'utf8');
  t.true(text.includes(`<port>${keys.PORT.default}</port>`));
});
