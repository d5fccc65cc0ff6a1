import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { wayToRead } from '../system/way-out.ts';
import { type DistLines, formatDistLine, parseDistLines } from './dist-line.ts';
import type { PlannedManifest } from './plan.ts';
import { cannotRead } from './repositories.ts';
import type { ManifestRecord } from './snapshot.ts';

/** What a Manifest tells. */
export interface Learnt extends Pick<DistLines, 'lines'> {
  /** The one that was known, when that still holds. */
  readonly record: ManifestRecord;
  /** Its DIST lines, as a snapshot has them. */
  readonly text: string;
}

/** A Manifest, and who hears that it cannot be read. */
export interface LearnOrder extends PlannedManifest {
  /** The directory of its package. */
  readonly directory: string;
  readonly onProblem: (problem: string) => void;
}

/**
 * What a Manifest tells; where it cannot be read, what was known of it. Undefined when there is
 * neither.
 */
export function learn(order: LearnOrder): Learnt | undefined {
  const { known, changed, directory, onProblem } = order;
  const path = `${directory}/Manifest`;
  try {
    if (changed) return learnAnew(path, order);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    onProblem(cannotRead(path, wayToRead(path, error)));
  }
  if (known === undefined) return undefined;
  const text = known.text();
  return { record: known, text, lines: parseDistLines(text).lines };
}

function learnAnew(path: string, { package: name, stamp }: LearnOrder): Learnt {
  const { lines, malformed } = parseDistLines(readFileSync(path, 'utf8'));
  return {
    record: { package: name, stamp, digests: lines.length, malformed },
    text: lines.map((line) => `${formatDistLine(line)}\n`).join(''),
    lines,
  };
}
