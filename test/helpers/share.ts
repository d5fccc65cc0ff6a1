import type { ExecutionContext, TestFn } from 'ava';

/**
 * Opens something before a file's first test and closes it after the last one: a daemon takes a
 * second to start, which tests that do not disturb each other need not spend each for itself.
 */
export function share<Scene>(
  test: TestFn,
  open: (t: ExecutionContext) => Promise<Scene>,
): () => Scene {
  const teardowns: (() => unknown)[] = [];
  const context = {
    passed: true,
    log: () => {},
    teardown: (teardown: () => unknown) => teardowns.push(teardown),
  } as unknown as ExecutionContext;
  let scene: { readonly value: Scene } | undefined;
  test.before('what the tests share is there', async () => {
    scene = { value: await open(context) };
  });
  test.after.always('what the tests shared is gone, and its log is sane', async () => {
    for (const teardown of teardowns.toReversed()) await teardown();
  });
  return () => {
    if (scene === undefined) throw new Error('Shared things are there once the tests run');
    return scene.value;
  };
}
