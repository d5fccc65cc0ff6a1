import { coldCrowd } from './scenarios/cold-crowd.ts';
import { coldSingle } from './scenarios/cold-single.ts';
import { cull } from './scenarios/cull.ts';
import { hitLarge } from './scenarios/hit-large.ts';
import { hitSmall } from './scenarios/hit-small.ts';
import { lateJoiner } from './scenarios/late-joiner.ts';
import { manyFiles } from './scenarios/many-files.ts';
import { slowReaders } from './scenarios/slow-readers.ts';
import { start } from './scenarios/start.ts';
import type { Scenario } from './stage.ts';

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  hitLarge,
  hitSmall,
  manyFiles,
  coldSingle,
  coldCrowd,
  lateJoiner,
  slowReaders,
  start,
  cull,
];
