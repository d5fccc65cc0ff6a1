import { CacheError } from '../../errors.ts';
import type { ControlContext } from '../context.ts';
import { downloadReports } from '../facts.ts';
import type { DownloadsReply } from '../reports.ts';
import { routeOf } from '../routes.ts';
import type { Values } from '../values.ts';

/** What is being downloaded, after giving one up when that was asked. */
export async function downloads(
  { cancel }: Values<'downloads'>,
  context: ControlContext,
): Promise<DownloadsReply> {
  const cancelled = cancel === undefined ? null : await giveUp(cancel, context);
  return { downloads: downloadReports(context), cancelled };
}

async function giveUp(path: string, context: ControlContext): Promise<string> {
  const { key } = routeOf(path, context);
  const fill = context.serve.fills.get(key);
  if (fill === undefined) {
    const reason = 'it is not being downloaded';
    throw new CacheError('not-found', { verb: 'cancel', thing: key, reason });
  }
  fill.cancel('it was cancelled with package-cache-ctl');
  await fill.finished;
  return key;
}
