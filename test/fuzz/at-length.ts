/**
 * Has the properties that are imported after this tried at length: with cases that nobody has seen
 * yet, but under CI, where a change must not fail for what was wrong before it.
 */
export function atLength({ cases }: { readonly cases: number }): void {
  const fresh = process.env.CI === 'true' ? 2 : Date.now() % 1_000_000_000;
  process.env.CASES ??= String(cases);
  process.env.SEED ??= String(fresh);
}
