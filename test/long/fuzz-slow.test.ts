import { atLength } from '../fuzz/at-length.ts';

// A shell and a daemon take a hundred times as long for a case as a function of ours.
atLength({ cases: 100_000 });

await import('../fuzz/conf-file.test.ts');
await import('../fuzz/head.test.ts');
