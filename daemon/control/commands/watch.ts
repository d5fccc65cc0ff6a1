import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { EventReport } from '../messages.ts';
import type { Values } from '../values.ts';
import { MAX_ROWS } from '../wire.ts';

/** More than this is not kept for a client that does not read. */
const MAX_WAITING_BYTES = 1024 ** 2;

/** Tells what happens until the client is gone: that ends it, and nothing else does. */
export async function watch(
  { requests = false }: Values<'watch'>,
  { id, line }: Call,
  { serve }: ControlContext,
): Promise<null> {
  const over = Promise.withResolvers<null>();
  const send = sender({ id, line });
  const stop = serve.events.listen({ requests, hear: send });
  line.gone.addEventListener('abort', () => over.resolve(null), { once: true });
  if (line.gone.aborted) over.resolve(null);
  return over.promise.finally(stop);
}

// What happens while the last notification is on its way goes out with the next.
function sender({ id, line }: Call): (event: EventReport) => void {
  let waiting: EventReport[] = [];
  let bytes = 0;
  let dropped = 0;
  let sending = false;
  const flush = async (): Promise<void> => {
    sending = true;
    while (waiting.length > 0) {
      const events = waiting.slice(0, MAX_ROWS);
      waiting = waiting.slice(MAX_ROWS);
      for (const event of events) bytes -= sizeOf(event);
      await line.notify({ jsonrpc: '2.0', method: 'events', params: { id, events, dropped } });
    }
    sending = false;
  };
  return (event) => {
    bytes += sizeOf(event);
    waiting.push(event);
    // The oldest go: who begins to read again wants to know what is.
    while (bytes > MAX_WAITING_BYTES) {
      const oldest = waiting.shift();
      if (oldest !== undefined) bytes -= sizeOf(oldest);
      dropped += 1;
    }
    if (!sending) void flush();
  };
}

function sizeOf({ thing, text }: EventReport): number {
  return thing.length + text.length;
}
