export default {
  extensions: ['ts'],
  files: ['test/build/**/*.test.ts', 'test/service/**/*.test.ts'],
  // Each file has a host of its own, and a host has a dozen programs to start.
  concurrency: 2,
  workerThreads: false,
  // The first run makes the hosts.
  timeout: '10m',
};
