import { CacheError } from '../errors.ts';
import { FLAT_CONF, HASHED_CONF } from '../gentoo/layout-conf.ts';
import { formatCacheStatus } from '../http/cache-status.ts';
import { contentTypeOf } from '../http/media-type.ts';
import { isUnanimous } from '../origin/refusals.ts';
import type { Route } from '../origin/route.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';

/** An answer that layout.conf must get, one way or another. */
export interface Attempted {
  readonly route: Route;
  /** The way every other file is answered. */
  readonly answer: () => Promise<void>;
}

/** Whether a file tells Portage where a mirror keeps all the others. */
export function isLayoutConf({ path }: Route): boolean {
  return path === 'distfiles/layout.conf';
}

/**
 * Answers, and where that fails for layout.conf, answers with a text of our own: Portage does not
 * remember the failure, asks again for every file, and falls back to a layout that mirrors do not
 * have any more.
 *
 * @throws what the answer throws, for every other file.
 */
export async function orLayoutConf(
  client: Client,
  { route, answer }: Attempted,
  context: Pick<ServeContext, 'id'>,
): Promise<void> {
  try {
    await answer();
  } catch (error) {
    // Whoever wants only what is stored has to be told that it is not.
    const helps = error instanceof CacheError && error.code !== 'not-stored';
    if (!helps || !isLayoutConf(route) || client.response.headersSent) throw error;
    respondLayout(client, isUnanimous(error) ? FLAT_CONF : HASHED_CONF, context);
  }
}

function respondLayout(client: Client, text: string, { id }: Pick<ServeContext, 'id'>): void {
  const { response } = client;
  client.cacheStatus = formatCacheStatus({ fwd: 'uri-miss', detail: 'built-in' });
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = 200;
  response.setHeader('Content-Type', contentTypeOf('layout.conf'));
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.setHeader('Cache-Status', client.cacheStatus);
  response.setHeader('Via', `1.1 ${id}`);
  if (client.method === 'GET') client.sent += text.length;
  response.end(text);
}
