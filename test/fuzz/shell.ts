import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file, and the variables to look at after it. */
export interface Sourced {
  readonly text: string;
  readonly names: readonly string[];
}

/** The values of the variables, `undefined` for one that is unset; nothing where the shell gave up. */
export type Values = readonly (string | undefined)[] | undefined;

/** So many files in one run: a shell takes longer to start than to read hundreds of them. */
const BATCH = 2000;
const PATIENCE = 60_000;

/**
 * What a shell has in the variables after each file. An error ends the shell, which then goes on
 * with the next file: that one has no meaning to agree on.
 */
export function readByShell(
  [program = 'sh', ...options]: readonly string[],
  files: readonly Sourced[],
): readonly Values[] {
  const directory = mkdtempSync(join(tmpdir(), 'package-cache-shell-'));
  const script = join(directory, 'script');
  const values: Values[] = [];
  try {
    while (values.length < files.length) {
      const batch = files.slice(values.length, values.length + BATCH);
      writeFileSync(script, batch.map(commandsFor).join(''));
      const { stdout, error } = spawnSync(program, [...options, script], {
        cwd: directory,
        env: { PATH: process.env.PATH },
        encoding: 'utf8',
        maxBuffer: 256 * 1024 ** 2,
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: PATIENCE,
      });
      if (error !== undefined) throw error;
      const read = stdout.split('\0').slice(0, -1).map(valuesOf);
      values.push(...read);
      if (read.length < batch.length) values.push(undefined);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return values;
}

// `eval` reads as `.` does (POSIX 2.14), without a file for each.
function commandsFor({ text, names }: Sourced): string {
  const shown = names.map((name) => `"\${${name}+=}\${${name}-}"`).join(' ');
  const quoted = `'${text.replaceAll("'", `'\\''`)}'`;
  // Without PATH no program is found: a file that names one runs none.
  return `unset ${names.join(' ')} _; PATH=/nonexistent\neval ${quoted} >&2\nprintf '%s\\1' ${shown}\nprintf '\\0'\n`;
}

function valuesOf(record: string): Values {
  return record
    .split('\u0001')
    .slice(0, -1)
    .map((text) => (text === '' ? undefined : text.slice(1)));
}
