import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { familyOf } from './measure.ts';
import { freePort, type Server, type ServerOptions } from './server.ts';

/**
 * Starts nginx, which is the measure: one worker, as the daemon is one process, and tuned as its
 * manual advises for files (sendfile, tcp_nopush, open_file_cache) or for a cache (proxy_cache with
 * proxy_cache_lock, buffers large enough for a fast source).
 */
export async function startNginx(options: ServerOptions): Promise<Server> {
  const { processes, processor, directory } = options;
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  const cache = join(directory, 'cache');
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, configuration({ ...options, cache, port }));
  const program = processes.start({
    command: ['nginx', '-p', directory, '-c', file, '-e', 'stderr'],
    processor,
  });
  return { kind: 'nginx', port, program, cache, pids: () => familyOf(program.pid) };
}

interface Place extends ServerOptions {
  readonly port: number;
  readonly cache: string;
}

function configuration({ directory, tree, source, cache, port }: Place): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${directory}/${name};`,
  );
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
error_log stderr error;
pid ${directory}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 8192; }
http {
${temporary.join('\n')}
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 60s;
  keepalive_requests 100000000;
  open_file_cache max=65536 inactive=60s;
  open_file_cache_valid 30s;
  proxy_cache_path ${cache} levels=1:2 keys_zone=bench:10m inactive=1d use_temp_path=off;
  server {
    listen 127.0.0.1:${port} backlog=511;
    location / {
      ${source === undefined ? `root ${tree ?? directory};` : proxy(source)}
    }
  }
}
`;
}

function proxy(source: string): string {
  return `proxy_pass ${source};
      proxy_http_version 1.1;
      proxy_cache bench;
      proxy_cache_valid 200 1d;
      proxy_cache_lock on;
      proxy_buffers 16 64k;
      proxy_buffer_size 64k;
      proxy_busy_buffers_size 256k;`;
}
