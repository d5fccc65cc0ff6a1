/** What one call gets: large enough to be cheap, small enough to be smooth. */
const PIECE = 64 * 1024;
/** A sender that did not get the processor may catch up on so many seconds. */
const ARREARS = 0.5;
/** Milliseconds without a wish after which nothing is left to catch up on. */
const IDLE = 50;

/**
 * Allots a rate (bytes a second) among all that ask, in the order in which they ask: each call
 * resolves to a number of bytes that may be sent now.
 */
export function allotment(rate: number): () => Promise<number> {
  const waiting: ((bytes: number) => void)[] = [];
  let credit = 0;
  let counted = 0;
  let timer: NodeJS.Timeout | undefined;
  const serve = () => {
    timer = undefined;
    const time = performance.now();
    credit = Math.min(credit + ((time - counted) / 1000) * rate, rate * ARREARS);
    counted = time;
    while (credit >= PIECE && waiting.length > 0) {
      credit -= PIECE;
      waiting.shift()?.(PIECE);
    }
    if (waiting.length > 0) timer = setTimeout(serve, 1);
  };
  return () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const isFirst = waiting.length === 0;
    waiting.push(resolve);
    if (isFirst && performance.now() - counted > IDLE) {
      credit = PIECE;
      counted = performance.now();
    }
    if (timer === undefined) serve();
    return promise;
  };
}
