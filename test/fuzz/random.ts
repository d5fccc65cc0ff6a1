/** Choices that a seed and the number of a case decide, and nothing else. */
export class Random {
  #state: number;

  constructor(seed: number, number: number) {
    // Neighbouring cases are to have nothing in common: the finalizer of MurmurHash3.
    this.#state = scramble(scramble(seed) ^ Math.imul(number, 0x9e3779b1));
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    // mulberry32: a few nanoseconds, and good enough to choose by.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error('There is nothing to pick from');
    return items[this.below(items.length)] as Item;
  }

  /** Up to `most` pieces, one after another. */
  string(pieces: readonly string[], most: number, least = 0): string {
    let text = '';
    for (let left = this.between(least, most); left > 0; left -= 1) text += this.pick(pieces);
    return text;
  }

  /** So many things that `make` makes, in an array. */
  several<Item>(least: number, most: number, make: () => Item): Item[] {
    return Array.from({ length: this.between(least, most) }, make);
  }
}

function scramble(number: number): number {
  let mixed = number | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
