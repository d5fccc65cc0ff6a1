import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';

/**
 * Writes one line when an answer is over: address, time, request line, status, body bytes,
 * duration, who asked, and what Cache-Status said. Whoever watches requests hears of it too.
 */
export function logAccess(client: Client, { settings, log, events }: ServeContext): void {
  const logged = settings().config.accessLog !== undefined;
  if (!logged && !events.wantsRequests) return;
  const { request, response } = client;
  const started = Date.now();
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : '-';
    const agent = request.headers['user-agent'] ?? '-';
    const { cacheStatus, sent } = client;
    const outcome = `${request.method} ${status} ${sent} bytes ${cacheStatus}`;
    events.emit('request', request.url ?? '', `${outcome} to ${client.address}`);
    if (!logged) return;
    log.access(
      [
        client.address === '' ? '-' : client.address,
        `[${new Date(started).toISOString()}]`,
        quoted(`${request.method} ${request.url} HTTP/${request.httpVersion}`),
        status,
        client.sent,
        `${Date.now() - started}ms`,
        quoted(agent),
        quoted(client.cacheStatus),
      ].join(' '),
    );
  });
}

// A quote or a backslash of the client's must not look like the end of its text.
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
