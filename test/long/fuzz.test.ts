import { atLength } from '../fuzz/at-length.ts';

atLength({ cases: 1_000_000 });

await import('../fuzz/conditional.test.ts');
await import('../fuzz/date.test.ts');
await import('../fuzz/gentoo.test.ts');
await import('../fuzz/host.test.ts');
await import('../fuzz/key.test.ts');
await import('../fuzz/lists.test.ts');
await import('../fuzz/range.test.ts');
await import('../fuzz/target.test.ts');
