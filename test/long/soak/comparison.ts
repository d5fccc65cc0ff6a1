import type { Answer, Head } from '../../helpers/client.ts';
import { partsOf } from '../../system/parts.ts';
import { type Ask, type Expected, expectedOf } from './expected.ts';
import type { Truth } from './truth.ts';

/** Compares one answer with what it has to be; throws for what nothing in the world explains. */
export class Comparison {
  readonly #expected: Expected;
  #taken = 0;

  constructor(ask: Ask, head: Head) {
    this.#expected = expectedOf(ask, head);
  }

  /** The next bytes of its body. */
  take(piece: Buffer): void {
    if (!('from' in this.#expected)) return;
    const { truth, from, to } = this.#expected;
    const at = from + this.#taken;
    this.#taken += piece.length;
    if (from + this.#taken > to || !piece.equals(truth.read(at, at + piece.length))) {
      throw new Error(`other bytes from ${at} on`);
    }
  }

  /** What it came to, in a word, now that its last bytes were taken. */
  end(answer: Answer): string {
    const { ended, surplus, status } = answer;
    if (surplus > 0) throw new Error(`${surplus} bytes behind the answer`);
    if (ended === 'reset') return 'broken';
    // A clean end tells the client that this is all.
    if (ended !== 'complete') throw new Error(`it ended ${ended}`);
    const expected = this.#expected;
    if (expected.kind === 'refused') return `refused ${status}`;
    if (expected.kind === 'parts') compareParts(answer, expected.truth);
    if ('from' in expected && expected.from + this.#taken !== expected.to) {
      throw new Error(`a clean end after ${this.#taken} bytes`);
    }
    return `good ${expected.kind}`;
  }
}

function compareParts(answer: Answer, truth: Truth): void {
  for (const { range = '', bytes } of partsOf(answer)) {
    const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range) ?? [];
    const right = truth.read(Number(first), Number(last) + 1);
    if (Number(whole) !== truth.size || !bytes.equals(right)) throw new Error(`part ${range}`);
  }
}
