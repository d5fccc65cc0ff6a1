import type { FillReport } from '../origin/fill-report.ts';
import type { ServeContext } from './context.ts';
import type { HttpServer } from './server.ts';

/** What is to end. */
export interface Stopping {
  readonly server: HttpServer;
  readonly context: ServeContext;
  /** Milliseconds that transfers to clients may take. */
  readonly grace: number;
}

/**
 * Lets transfers to clients end. What nobody waits for is kept as it is and goes on after the next
 * start; only a file that is whole is stored first.
 */
export async function stopServing({ server, context, grace }: Stopping): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, grace);
  const stored = async () => {
    await server.close(grace);
    const whole = context.fills.all().filter((fill) => isWhole(fill.report()));
    await Promise.all(whole.map((fill) => fill.finished));
  };
  await Promise.race([stored(), deadline.promise]);
  clearTimeout(timer);
}

function isWhole({ state, bytes, length }: FillReport): boolean {
  return state === 'storing' || bytes === length;
}
