/** Whom a value was measured at; the base is what a measure names: a direct fetch, `find`. */
export type Party = 'ours' | 'nginx' | 'base';

/** The most that ours may be: `factor` times the reference's median, and `plus` in its unit. */
export interface Bar {
  /** Without one, `plus` alone is the bar. */
  readonly against?: 'nginx' | 'base';
  readonly factor?: number;
  readonly plus?: number;
}

/** What is measured. */
export interface Measure {
  /** `8 connections`; empty when the scenario has one case only. */
  readonly name: string;
  /** `server CPU`. */
  readonly what: string;
  /** `ms`. */
  readonly unit: string;
  readonly bar?: Bar;
  /** What the base is. */
  readonly base?: string;
}

/** A measure with the values of all rounds. */
export interface Figure extends Measure {
  readonly values: Readonly<Record<Party, readonly number[]>>;
}

/** Gathers the values of a scenario, in the order in which its measures first came up. */
export class Figures {
  readonly #notes = new Set<string>();
  readonly #figures = new Map<string, Measure & { readonly values: Record<Party, number[]> }>();

  add(measure: Measure, party: Party, ...values: readonly number[]): void {
    const key = `${measure.name}: ${measure.what}`;
    const figure = this.#figures.get(key) ?? {
      ...measure,
      values: { ours: [], nginx: [], base: [] },
    };
    figure.values[party].push(...values);
    this.#figures.set(key, figure);
  }

  /** What a reader has to know to judge the figures. */
  note(text: string): void {
    this.#notes.add(text);
  }

  notes(): readonly string[] {
    return [...this.#notes];
  }

  all(): readonly Figure[] {
    return [...this.#figures.values()];
  }
}

/** The middle of the values; undefined when there is none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

/** The largest, 0 when there is none. */
export function worst(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
