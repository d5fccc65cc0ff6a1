import { atLength } from '../fuzz/at-length.ts';

// A daemon takes a hundred times as long for a case as a function of ours.
atLength({ cases: 100_000 });

await import('../fuzz/head.test.ts');
