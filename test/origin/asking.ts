import { mock } from 'node:test';
import { parseSourceUrl, type SourceUrl } from '../../daemon/config/source-url.ts';
import { type Asking, ask, type Question, type Reply } from '../../daemon/origin/ask.ts';
import type { Exchange } from '../../daemon/origin/exchange.ts';
import { createHealthBook } from '../../daemon/origin/health.ts';
import type { Attempt, Upstream, UpstreamRequest } from '../../daemon/origin/request.ts';

/** Status and fields of an answer, or what went wrong. */
export type Scripted = {
  readonly status?: number;
  readonly fields?: readonly string[];
  /** A chunked body that turns out to be empty. */
  readonly empty?: true;
} & Partial<Record<'error', string>>;

/** A source that says what it is told to, when it is told to. */
export interface FakeSource {
  readonly source: SourceUrl;
  readonly requests: UpstreamRequest[];
  /** Reasons for which its requests were given up. */
  readonly aborted: string[];
  /** How often a body of its was thrown away. */
  discarded: number;
  /** Answers the request that waits, or the next one. */
  answer(scripted: Scripted): void;
}

/** Sources without a network, and everything it takes to ask them. */
export function fakeAsking(names: readonly string[], { hedgeAfter = 2000 } = {}) {
  const log: string[] = [];
  const health = createHealthBook({ now: Date.now, changed: (line) => log.push(line) });
  const parts = names.map((name) => createSource(parseSourceUrl(`http://${name}.example/`)));
  const upstream: Upstream = {
    ask: (request) => {
      const found = parts.find(({ fake }) => fake.source === request.source);
      if (found === undefined) throw new Error(`No such source: ${request.source.url}`);
      return found.ask(request);
    },
    close: () => Promise.resolve(),
  };
  const asking: Asking = { upstream, health, hedgeAfter };
  const fakes = parts.map(({ fake }) => fake);
  return { asking, health, log, fakes, sources: fakes.map(({ source }) => source) };
}

/** The fields of an answer with a package. */
export const packageFields = ['Content-Length', '1000'];

/** Lets everything happen that is not a matter of time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Asks the sources of these names, and shows what has come of it so far. Time passes by mocked
 * timers, which the test enables.
 */
export function put(names: readonly string[], question: Partial<Question> = {}, hedgeAfter = 2000) {
  const scene = fakeAsking(names, { hedgeAfter });
  let reply: Reply | undefined;
  let failure: unknown;
  const start = () => {
    ask(scene.asking, {
      sources: scene.health.order(scene.sources),
      method: 'GET',
      path: 'distfiles/aa/x.tar.xz',
      expected: { path: 'distfiles/aa/x.tar.xz', mutable: false },
      ...question,
    }).then(
      (value) => {
        reply = value;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    return settle();
  };
  const pass = async (milliseconds: number) => {
    mock.timers.tick(milliseconds);
    await settle();
  };
  return {
    ...scene,
    start,
    pass,
    reply: () => {
      if (failure !== undefined) throw failure;
      return reply;
    },
    asked: () => scene.fakes.filter(({ requests }) => requests.length > 0).length,
  };
}

/** What the sources said, where none of them gave the package. */
export function reasonsOf(reply: Reply | undefined): string[] {
  return reply !== undefined && 'said' in reply ? reply.said.map(({ reason }) => reason) : [];
}

function createSource(source: SourceUrl) {
  const ready: Scripted[] = [];
  const waiting: ((scripted: Scripted) => void)[] = [];
  const fake: FakeSource = {
    source,
    requests: [],
    aborted: [],
    discarded: 0,
    answer: (scripted) => {
      const next = waiting.shift();
      if (next === undefined) ready.push(scripted);
      else next(scripted);
    },
  };
  const ask = (request: UpstreamRequest): Attempt => {
    fake.requests.push(request);
    request.sending?.();
    const { promise, resolve, reject } = Promise.withResolvers<Scripted>();
    promise.catch(() => {});
    const known = ready.shift();
    if (known === undefined) waiting.push(resolve);
    else resolve(known);
    const answer = promise.then((scripted) => answerOf(fake, scripted));
    answer.catch(() => {});
    return {
      answer,
      over: answer.then(
        () => {},
        () => {},
      ),
      abort: (reason) => {
        fake.aborted.push(reason.message);
        reject(reason);
      },
    };
  };
  return { fake, ask };
}

function answerOf(fake: FakeSource, { status = 200, fields, empty, error }: Scripted) {
  if (error !== undefined) throw new Error(error);
  const exchange = {
    firstBytes: () => Promise.resolve(Buffer.from(empty === true ? '' : 'x')),
    discard: () => {
      fake.discarded += 1;
    },
  } as Exchange;
  return { status, fields: fields ?? packageFields, url: fake.source.url, exchange };
}
