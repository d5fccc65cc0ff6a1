import { readText, replaceFile } from '../cache/durable.ts';
import type { Layout } from '../cache/layout.ts';
import { CacheError, describe } from '../errors.ts';
import { formatCount, formatSize } from '../units.ts';
import {
  type CheckContext,
  type Checked,
  type CheckOrder,
  type CheckWatch,
  check,
} from './check.ts';
import type { ServeContext } from './context.ts';
import { createSingle } from './single.ts';

const FORMAT = 1;

/** Bytes a second: a disk does several times as much, and clients come first. */
const RATE = 100 * 1024 ** 2;
/** At night there is time. */
const NIGHT_RATE = 20 * 1024 ** 2;
/** Seconds after which it is over however much it is: before the morning. */
const NIGHT = 4 * 3600;

/** What somebody wants to be checked. */
export interface VerifyRequest extends Pick<CheckOrder, 'glob' | 'repair'> {
  /** Bytes a second. */
  readonly rate?: number;
}

/** What the last check came to. */
export interface LastCheck
  extends Pick<Checked, 'verified' | 'bytes' | 'wrong' | 'repaired' | 'left'> {
  /** When it ended, milliseconds since the epoch. */
  readonly at: number;
}

/** Checks of what is stored against the Manifests: one at a time. */
export interface Verification {
  /**
   * Checks what somebody asks for.
   *
   * @throws CacheError `config` without Manifests, `busy` while another one is under way, and as
   * `check`.
   */
  verify(request: VerifyRequest, watch: CheckWatch): Promise<Checked>;
  /** Checks the next so many bytes behind those of the last time, and repairs what is wrong. */
  verifyNext(bytes: number): Promise<void>;
  /** Checks the entries of distfiles that the Manifests want otherwise by now, and repairs them. */
  recheck(names: readonly string[]): Promise<void>;
  last(): LastCheck | undefined;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What it is made of. */
export interface VerificationOptions extends CheckContext {
  readonly layout: Layout;
  readonly now: () => number;
}

interface State {
  last: LastCheck | undefined;
  /** The key up to which the nightly checks have come. */
  after: string | undefined;
}

/** Goes on from where the last run of the daemon was. */
export async function openVerification(options: VerificationOptions): Promise<Verification> {
  const { serve, layout, now } = options;
  const { log } = serve;
  const state = await readState(layout.verification);
  const single = createSingle();
  const run = async (order: CheckOrder, watch: Partial<CheckWatch> = {}): Promise<Checked> => {
    if (serve.manifests.rows().names.length === 0) throw nothingToCompare(layout.root, serve);
    return single.run((signal) => check(order, { ...watch, signal }, options), watch.signal);
  };
  const keep = async (): Promise<void> => {
    const text = `${JSON.stringify({ format: FORMAT, ...state })}\n`;
    await replaceFile(layout.verification, text).catch((error: unknown) =>
      log.debug(`Cannot keep what was verified: ${describe(error)}`),
    );
  };
  const note = (checked: Checked): void => {
    if (checked.cancelled) return;
    const { verified, bytes, wrong, repaired, left } = checked;
    state.last = { at: now(), verified, bytes, wrong, repaired, left };
    log.info(`verified ${wordChecked(checked)}`);
  };
  const unlessFailing = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      if (!single.closed) log.warn(describe(error));
    });
  const checkNext = async (bytes: number): Promise<void> => {
    // While somebody else is at it there is nothing to do: there is another night.
    if (single.busy) return;
    const { after } = state;
    const range = { upTo: bytes, ...(after === undefined ? {} : { after }) };
    const rate = Math.max(NIGHT_RATE, bytes / NIGHT);
    const order = { ...range, rate, repair: true };
    const onProgress = ({ last = after }) => {
      state.after = last;
    };
    try {
      note(await run(order, { onProgress }));
    } finally {
      await keep();
    }
  };
  const checkNames = async (names: readonly string[]): Promise<void> => {
    while (single.busy) await single.idle();
    // What nothing is said of any more cannot be wrong.
    if (serve.manifests.rows().names.length === 0) return;
    await run({ names: new Set(names), rate: RATE, repair: true });
  };
  return {
    verify: async ({ rate = RATE, ...request }, watch) => {
      await serve.manifests.ready();
      if (single.busy) throw underWay(layout.root);
      const checked = await run({ rate, ...request }, watch);
      note(checked);
      await keep();
      return checked;
    },
    verifyNext: (bytes) => unlessFailing(checkNext(bytes)),
    recheck: (names) => unlessFailing(checkNames(names)),
    last: () => state.last,
    close: single.close,
  };
}

function wordChecked({ verified, bytes, wrong, repaired }: Checked): string {
  const files = `${formatCount(verified)} ${verified === 1 ? 'file' : 'files'} (${formatSize(bytes)})`;
  return `${files}: ${wrong === 0 ? 'nothing is wrong' : `${wrong} wrong, ${repaired} repaired`}`;
}

function nothingToCompare(root: string, { manifests }: ServeContext): CacheError {
  const { repositories, problem = 'the repositories of MANIFESTS have no digests' } =
    manifests.report();
  const wayOut = 'name a Gentoo repository in MANIFESTS, such as /var/db/repos/gentoo, and reload';
  const reason = repositories.length === 0 ? `no Manifests are known; ${wayOut}` : problem;
  return new CacheError('config', { verb: 'verify', thing: root, reason });
}

function underWay(root: string): CacheError {
  const reason = 'another verification is under way; try again when it is over';
  return new CacheError('busy', { verb: 'verify', thing: root, reason });
}

// A state that cannot be read or understood is none: the nightly checks begin anew.
async function readState(path: string): Promise<State> {
  try {
    const kept = JSON.parse(await readText(path));
    if (kept.format !== FORMAT) return { last: undefined, after: undefined };
    const after = typeof kept.after === 'string' ? kept.after : undefined;
    return { last: typeof kept.last?.at === 'number' ? kept.last : undefined, after };
  } catch {
    return { last: undefined, after: undefined };
  }
}
