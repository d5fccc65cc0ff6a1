import { addressesOf } from '../../serve/listen.ts';
import type { ControlContext } from '../context.ts';
import {
  cacheReport,
  degradations,
  downloadReports,
  manifestsReport,
  processReport,
  repositoryReports,
} from '../facts.ts';
import type { SourcesReply, StatusReply } from '../reports.ts';

/** What the daemon is and how it is doing; `controlSocket` is where it is asked. */
export async function status(context: ControlContext, controlSocket: string): Promise<StatusReply> {
  const { serve, server, budget, version, startedAt, logLevel } = context;
  // Before the disk is asked, which would be among what it tells of.
  const held = processReport();
  // As the disk is now, and not when something was last stored.
  await budget.room.check();
  return {
    version,
    pid: process.pid,
    startedAt,
    configFile: serve.settings().config.file ?? null,
    addresses: addressesOf(server.places),
    controlSocket,
    delivery: serve.delivery.name,
    logLevel: logLevel(),
    repositories: repositoryReports(context),
    manifests: manifestsReport(context),
    cache: await cacheReport(context),
    downloads: downloadReports(context).length,
    clients: server.connections(),
    process: held,
    degraded: degradations(context),
  };
}

/** How the sources are doing. */
export function sources(context: ControlContext): SourcesReply {
  return { repositories: repositoryReports(context) };
}
