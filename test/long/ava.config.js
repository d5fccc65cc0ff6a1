export default {
  extensions: ['ts'],
  files: ['test/long/**/*.long.ts', 'test/long/**/*.test.ts'],
  // They measure: one at a time.
  concurrency: 1,
  workerThreads: false,
  timeout: '10m',
};
