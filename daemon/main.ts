#!/usr/bin/env node
// The first act, before anything uses the pool: reads of cold files must not queue behind syncs.
process.env.UV_THREADPOOL_SIZE ??= '16';

const { run } = await import('./program.ts');
process.exit(await run(process.argv.slice(2)));
