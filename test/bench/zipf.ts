/**
 * Draws numbers from 0 to `count` - 1 as packages are asked for: the n-th most popular one 1/n
 * times as often as the first (Zipf's law). The same numbers in every run.
 */
export function zipf(count: number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) {
    sum += 1 / rank;
    sums.push(sum);
  }
  const random = generator();
  return () => firstAbove(sums, random() * sum);
}

/** Even numbers from 0 to 1, by the linear congruence of "Numerical Recipes". */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function firstAbove(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? 0) > value) to = middle;
    else from = middle + 1;
  }
  return from;
}
