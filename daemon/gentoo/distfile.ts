import { createHash } from 'node:crypto';

/** The folder below a repository's root in which Gentoo keeps the files that ebuilds fetch. */
const FOLDER = 'distfiles';

/** Where a distfile is kept: `distfiles/80/which-2.23.tar.gz`, as GLEP 75 has it on every mirror. */
export function distfilePath(name: string): string {
  return `${FOLDER}/${nameHash(name).slice(0, 2)}/${name}`;
}

/**
 * The name of the distfile that a path below a repository's root means, in whatever layout of
 * GLEP 75 by name: flat, or below folders of two digits each that begin the name's own BLAKE2B.
 * Undefined for any other path. Names that may change are no distfiles: ask the policy first.
 */
export function distfileIn(path: string): string | undefined {
  const [folder, ...rest] = path.split('/');
  const name = rest.pop();
  if (folder !== FOLDER || name === undefined || name === '') return undefined;
  // Nothing is hashed for the folders of others, such as those of pkgsrc.
  if (!rest.every((each) => /^[0-9a-f]{2}$/.test(each))) return undefined;
  return nameHash(name).startsWith(rest.join('')) ? name : undefined;
}

/** BLAKE2B-512 of a file's name in UTF-8, in hexadecimal digits. */
export function nameHash(name: string): string {
  return createHash('blake2b512').update(name).digest('hex');
}
