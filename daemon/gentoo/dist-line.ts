import { type Algorithm, algorithms, type Digest, HASH_BYTES } from './digest-table.ts';

/** What a DIST line of a Manifest says of a distfile: the better one of the digests that we know. */
export interface NamedDigest {
  readonly name: string;
  readonly digest: Digest;
}

/** The DIST lines of a text. */
export interface DistLines {
  /** Those with a digest that we know. */
  readonly lines: readonly NamedDigest[];
  /** How many say that they are DIST lines and cannot be read. */
  readonly malformed: number;
}

const TAG = 'DIST ';

/** The hash functions, as Manifests call them. */
const words: Readonly<Record<Algorithm, string>> = { blake2b512: 'BLAKE2B', sha512: 'SHA512' };

const hashPattern = new RegExp(`^[0-9a-f]{${2 * HASH_BYTES}}$`, 'i');

/** The DIST lines of a Manifest (GLEP 74): whatever else there is, signatures too, is not looked at. */
export function parseDistLines(text: string): DistLines {
  const lines: NamedDigest[] = [];
  let malformed = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(TAG)) continue;
    const parsed = parseDistLine(line);
    if (parsed === 'malformed') malformed += 1;
    else if (parsed !== 'unknown') lines.push(parsed);
  }
  return { lines, malformed };
}

/** One DIST line, with any number of hashes in any order; `unknown` when we know none of them. */
export function parseDistLine(line: string): NamedDigest | 'unknown' | 'malformed' {
  const [tag, written = '', size = '', ...hashes] = line.trimEnd().split(/\s+/);
  const name = decodeName(written);
  const isPaired = hashes.length > 0 && hashes.length % 2 === 0;
  if (tag !== TAG.trimEnd() || name === undefined || !isPaired) return 'malformed';
  if (!/^\d+$/.test(size) || !Number.isSafeInteger(Number(size))) return 'malformed';
  for (const algorithm of algorithms) {
    const at = hashes.findIndex((word, place) => place % 2 === 0 && word === words[algorithm]);
    if (at === -1) continue;
    const hash = hashes[at + 1] ?? '';
    if (!hashPattern.test(hash)) return 'malformed';
    return { name, digest: { size: Number(size), algorithm, hash: hash.toLowerCase() } };
  }
  return 'unknown';
}

/** A line that says the same, with no more than the one hash. */
export function formatDistLine({ name, digest }: NamedDigest): string {
  const { size, algorithm, hash } = digest;
  return `${TAG}${encodeName(name)} ${size} ${words[algorithm]} ${hash}`;
}

/** The name of a file that a Manifest spells so; undefined where it can be none. */
function decodeName(written: string): string | undefined {
  const pattern = /\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8}))?/g;
  const name = written.replace(pattern, (_, two, four, eight) => {
    const code = Number.parseInt(two ?? four ?? eight ?? '', 16);
    // A backslash that escapes nothing becomes what no name may hold.
    return code <= 0x10ffff ? String.fromCodePoint(code) : '/';
  });
  return isFileName(name) ? name : undefined;
}

function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && name.isWellFormed();
}

/** The characters that GLEP 74 wants escaped: white space, controls, and the backslash. */
function encodeName(name: string): string {
  return name.replace(
    /[\s\\\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\U${character.charCodeAt(0).toString(16).padStart(8, '0')}`,
  );
}
