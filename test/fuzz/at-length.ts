/** Has the properties that are imported after this tried with cases that nobody has seen yet. */
export function atLength({ cases }: { readonly cases: number }): void {
  process.env.CASES ??= String(cases);
  process.env.SEED ??= String(Date.now() % 1_000_000_000);
}
