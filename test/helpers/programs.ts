import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ExecutionContext } from 'ava';

/**
 * Whether all these programs are installed. One that is missing passes the test with a note on a
 * laptop and fails it in CI, where `.ci/run` installs them.
 */
export function needs(t: ExecutionContext, ...programs: readonly string[]): boolean {
  const missing = missingOf(programs);
  if (missing.length === 0) return true;
  const note = `Not tested: ${missing.join(', ')} not installed`;
  if (process.env.CI === 'true') {
    t.fail(note);
  } else {
    t.log(note);
    t.pass();
  }
  return false;
}

/** Those of the programs that are not installed. */
export function missingOf(programs: readonly string[]): readonly string[] {
  return programs.filter((program) => !isInstalled(program));
}

function isInstalled(program: string): boolean {
  // Of npm's own programs one or the other has the name of a system's: nft is a bundler's tracer.
  const directories = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.endsWith('node_modules/.bin'));
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
