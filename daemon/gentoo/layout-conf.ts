import { createHash } from 'node:crypto';

/** What every Gentoo mirror serves as layout.conf (GLEP 75). */
export const HASHED_CONF = '[structure]\n0=filename-hash BLAKE2B 8\n';
/** What a mirror without the file means. */
export const FLAT_CONF = '[structure]\n0=flat\n';

/** How a mirror arranges its distfiles by name. */
export interface DistfileLayout {
  /** As node:crypto calls the hash of the name; of no interest without cutoffs. */
  readonly algorithm: string;
  /** Hexadecimal digits of the hash in the name of each folder, the outermost first. */
  readonly cutoffs: readonly number[];
}

/** The layout of every Gentoo mirror. */
export const hashedLayout: DistfileLayout = { algorithm: 'blake2b512', cutoffs: [2] };
/** All files in one folder. */
export const flatLayout: DistfileLayout = { algorithm: 'blake2b512', cutoffs: [] };

const known: Readonly<Record<string, string>> = { BLAKE2B: 'blake2b512', SHA512: 'sha512' };

/**
 * The layout that a layout.conf names: of several, the first one in number that is by name, as
 * Portage chooses (GLEP 75). Undefined for a text that names none of them.
 */
export function parseLayoutConf(text: string): DistfileLayout | undefined {
  const [, section = ''] = /^\[structure\][^\S\n]*\n([^[]*)/m.exec(text) ?? [];
  return [...section.matchAll(/^\s*(\d+)\s*[=:]\s*(.*\S)/gm)]
    .toSorted(([, left], [, right]) => Number(left) - Number(right))
    .map(([, , structure = '']) => parseStructure(structure))
    .find((layout) => layout !== undefined);
}

function parseStructure(text: string): DistfileLayout | undefined {
  const [kind, name = '', bits = '', ...more] = text.split(/\s+/);
  if (kind === 'flat' && name === '') return flatLayout;
  const algorithm = known[name];
  if (kind !== 'filename-hash' || algorithm === undefined || more.length > 0) return undefined;
  const cutoffs = bits.split(':').map((each) => Number(each) / 4);
  const digits = cutoffs.reduce((sum, each) => sum + each, 0);
  const isUsable = cutoffs.every((each) => Number.isInteger(each) && each > 0) && digits <= 128;
  return isUsable ? { algorithm, cutoffs } : undefined;
}

/** The folders in which a layout keeps a distfile, each with a `/` behind it. */
export function foldersIn({ algorithm, cutoffs }: DistfileLayout, name: string): string {
  if (cutoffs.length === 0) return '';
  const hash = createHash(algorithm).update(name).digest('hex');
  let at = 0;
  return cutoffs
    .map((digits) => {
      at += digits;
      return `${hash.slice(at - digits, at)}/`;
    })
    .join('');
}
