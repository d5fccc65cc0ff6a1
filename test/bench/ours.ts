import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type Server, type ServerOptions } from './server.ts';

// What is installed, and not its sources: it starts sooner and takes less memory.
const main = fileURLToPath(new URL('../../build/package-cache.js', import.meta.url));

/** Starts the daemon, with its defaults but for the limits that one address would hit. */
export async function startOurs(options: ServerOptions): Promise<Server> {
  const { processes, processor, directory, tree = join(directory, 'cache') } = options;
  mkdirSync(tree, { recursive: true });
  const port = await freePort();
  const file = join(directory, 'package-cache.conf');
  const controlSocket = join(directory, 'control.sock');
  const settings = {
    CACHE_DIR: tree,
    HOST: '127.0.0.1',
    PORT: port,
    // Nobody listens there: what is asked for is in the tree.
    SOURCES: options.source ?? 'http://127.0.0.1:1/',
    CONTROL_SOCKET: controlSocket,
    MAX_CONNECTIONS_PER_CLIENT: 4096,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}="${value}"\n`);
  writeFileSync(file, lines.join(''));
  const program = processes.start({
    command: [process.execPath, main, '--config', file],
    processor,
  });
  return { kind: 'ours', port, program, cache: tree, controlSocket, pids: () => [program.pid] };
}
