import { type Figures, median, type Party } from '../figures.ts';
import type { Stage } from '../stage.ts';

/** From here on a client may have held the server up. */
const SATURATED = 0.9;

/** What came of a job whose servers were busy all the time. */
export interface Throughput {
  readonly name: string;
  readonly party: Party;
  readonly outcome: Awaited<ReturnType<Stage['load']>>;
  /** What the processor time is counted for. */
  readonly per: 'GB' | 'request';
  /** The most it may cost, as a multiple of what nginx does. */
  readonly factor: number;
}

/** Adds processor time, rate and first byte, and how busy the client was. */
export function addThroughput(figures: Figures, throughput: Throughput): void {
  const { name, party, outcome, per, factor } = throughput;
  const { serverCpu, clientCpu, bytes, seconds, answers } = outcome;
  const bar = { against: 'nginx', factor } as const;
  if (per === 'GB') {
    const value = serverCpu / (bytes / 1e9);
    figures.add({ name, what: 'server CPU', unit: 's/GB', bar }, party, value);
  } else {
    const value = (serverCpu / answers.length) * 1e6;
    figures.add({ name, what: 'server CPU', unit: 'µs/request', bar }, party, value);
    figures.add({ name, what: 'rate', unit: 'requests/s' }, party, answers.length / seconds);
  }
  figures.add({ name, what: 'throughput', unit: 'MB/s' }, party, bytes / seconds / 1e6);
  const firstByte = median(answers.map((answer) => answer.firstByte));
  if (firstByte !== undefined) {
    figures.add({ name, what: 'first byte', unit: 'ms' }, party, firstByte);
  }
  figures.add({ name, what: 'peak memory', unit: 'MB' }, party, outcome.peak / 1e6);
  figures.add({ name, what: 'server busy', unit: '%' }, party, (serverCpu / seconds) * 100);
  figures.add({ name, what: 'client busy', unit: '%' }, party, (clientCpu / seconds) * 100);
  if (clientCpu / seconds > SATURATED) {
    figures.note(
      `The client may have been the limit: ${[name, party].filter(Boolean).join(', ')}.`,
    );
  }
}
