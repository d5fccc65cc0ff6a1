import type { Random } from './random.ts';

/** What texts are made from. */
export interface Material {
  /** Real texts, good and bad. */
  readonly corpus: readonly string[];
  /** Pieces that mean something to whoever reads such texts. */
  readonly pieces: readonly string[];
}

/** Pieces that are written with a space between them. */
export function words(text: string): readonly string[] {
  return text.split(' ');
}

type Mutation = (text: string, random: Random, material: Material) => string;

const mutations: readonly Mutation[] = [
  // A piece goes in, or takes the place of something.
  (text, random, { pieces }) => splice(text, random, { size: 0, by: random.pick(pieces) }),
  (text, random, { pieces }) =>
    splice(text, random, { size: random.below(8), by: random.pick(pieces) }),
  // One character becomes any other.
  (text, random) => splice(text, random, { size: 1, by: String.fromCharCode(random.below(256)) }),
  // Something goes.
  (text, random) => splice(text, random, { size: 1 + random.below(6), by: '' }),
  // Something stands twice, perhaps elsewhere.
  (text, random) => splice(text, random, { size: 0, by: partOf(text, random) }),
  // The end comes too early.
  (text, random) => text.slice(0, random.below(text.length + 1)),
  // The beginning of one and the end of another.
  (text, random, { corpus }) => {
    const other = random.pick(corpus);
    return text.slice(0, random.below(text.length + 1)) + partOf(other, random);
  },
  // Much of the same.
  (text, random, { pieces }) =>
    splice(text, random, { size: 0, by: random.pick(pieces).repeat(random.below(12)) }),
  // Other letters.
  (text, random) => (random.oneIn(2) ? text.toUpperCase() : text.toLowerCase()),
];

/** A text of the corpus, changed a few times: mostly once, so that much of it still holds. */
export function mutated(random: Random, material: Material): string {
  return mutate(random.pick(material.corpus), random, material);
}

/** The text, changed a few times. */
export function mutate(text: string, random: Random, material: Material): string {
  let result = text;
  do {
    result = random.pick(mutations)(result, random, material);
  } while (random.oneIn(2));
  return result;
}

interface Splice {
  readonly size: number;
  readonly by: string;
}

function splice(text: string, random: Random, { size, by }: Splice): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + by + text.slice(at + size);
}

function partOf(text: string, random: Random): string {
  const start = random.below(text.length + 1);
  return text.slice(start, start + random.below(24));
}
