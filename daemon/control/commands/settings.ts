import type { ControlContext } from '../context.ts';
import type { LogLevelReply, ReloadReply } from '../reports.ts';
import type { Values } from '../values.ts';

/** Reads the configuration again. @throws CacheError when it is wrong: then nothing changed */
export async function reload(context: ControlContext): Promise<ReloadReply> {
  const { live, restart } = await context.reload();
  return { configFile: context.serve.settings().config.file ?? null, live, restart };
}

/** Shows how much the log tells, or changes it. */
export function logLevel({ level }: Values<'log-level'>, context: ControlContext): LogLevelReply {
  const former = context.logLevel();
  if (level !== undefined) context.setLogLevel(level);
  return { level: context.logLevel(), former };
}
