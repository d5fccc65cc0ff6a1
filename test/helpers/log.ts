import type { Exit } from './process.ts';

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

const insane = /\bunhandled|^\s+at .+:\d+:\d+\)?$/i;

/** The lines of a program, with waiting for those to come. */
export class Log {
  readonly #lines: string[] = [];
  #waiters: Waiter[] = [];
  #exit: string | undefined;

  lines(): string[] {
    return [...this.#lines];
  }

  add(line: string): void {
    this.#lines.push(line);
    for (const { resolve } of this.#waiters.filter(({ pattern }) => line.search(pattern) >= 0)) {
      resolve(line);
    }
    this.#waiters = this.#waiters.filter(({ pattern }) => line.search(pattern) < 0);
  }

  /** From now until its exit the lines are those of this process. */
  follow(exited: Promise<Exit>): void {
    this.#exit = undefined;
    exited.then(
      ({ code, signal }) => this.#end(`it exited with ${signal ?? code}`),
      (error: Error) => this.#end(error.message),
    );
  }

  /** The first line that matches; rejects when the program exits without it. */
  find(pattern: RegExp, after = 0): Promise<string> {
    const known = this.#lines.slice(after).find((line) => line.search(pattern) >= 0);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#exit !== undefined) return Promise.reject(this.#missing(pattern, this.#exit));
    return new Promise((resolve, reject) => this.#waiters.push({ pattern, resolve, reject }));
  }

  /** Throws for a line that only a bug can write: an unhandled rejection or a stack trace. */
  assertSane(): void {
    if (!this.#lines.some((line) => insane.test(line))) return;
    throw new Error(`The log holds a stack trace:\n${this.#lines.join('\n')}`);
  }

  #end(reason: string): void {
    this.#exit = reason;
    for (const { pattern, reject } of this.#waiters.splice(0)) {
      reject(this.#missing(pattern, reason));
    }
  }

  #missing(pattern: RegExp, reason: string): Error {
    return new Error(`No line matches ${pattern}: ${reason}\n${this.#lines.join('\n')}`);
  }
}
