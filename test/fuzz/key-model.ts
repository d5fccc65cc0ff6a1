/** What a path means, worked out slowly and byte by byte; undefined when it is to be refused. */
export interface ModelPath {
  readonly components: readonly string[];
  readonly directory: boolean;
}

/** The rules of README and RFC 3986 for paths, written a second time. */
export function modelOf(path: string): ModelPath | 'bad-request' | 'not-found' {
  const components: string[] = [];
  let last = '';
  // What is wrong first decides.
  for (const piece of path.split('/')) {
    const bytes = decoded(piece);
    const name = bytes && textOf(bytes);
    if (bytes === undefined || name === undefined) return 'bad-request';
    if (name === '..' || bytes.some((byte) => byte === 0 || byte === 0x2f || byte === 0x5c)) {
      return 'bad-request';
    }
    if (bytes.length > 255) return 'bad-request';
    if (name.startsWith('.package-cache')) return 'not-found';
    last = name;
    if (name !== '' && name !== '.') components.push(name);
  }
  const size = components.reduce((sum, name) => sum + Buffer.from(name).length, 0);
  if (size + Math.max(0, components.length - 1) > 1024) return 'bad-request';
  return { components, directory: last === '' || last === '.' };
}

/** Percent-escapes become bytes, once. */
function decoded(piece: string): readonly number[] | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < piece.length; ) {
    if (piece[at] === '%') {
      const digits = piece.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
      bytes.push(Number.parseInt(digits, 16));
      at += 3;
    } else {
      const point = piece.codePointAt(at) ?? 0;
      if (point >= 0xd800 && point <= 0xdfff) return undefined;
      const character = String.fromCodePoint(point);
      bytes.push(...Buffer.from(character));
      at += character.length;
    }
  }
  return bytes;
}

/** RFC 3629, which knows no overlong form, no surrogate and nothing beyond U+10FFFF. */
function textOf(bytes: readonly number[]): string | undefined {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const more = first < 0x80 ? 0 : first < 0xc0 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more < 0 || first > 0xf7) return undefined;
    let point = more === 0 ? first : first & (0x3f >> more);
    for (const byte of bytes.slice(at + 1, at + 1 + more)) {
      if ((byte & 0xc0) !== 0x80) return undefined;
      point = point * 64 + (byte & 0x3f);
    }
    const least = [0, 0x80, 0x800, 0x10000][more] ?? 0;
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    if (at + more >= bytes.length || point < least || point > 0x10ffff || isSurrogate) {
      return undefined;
    }
    text += String.fromCodePoint(point);
    at += 1 + more;
  }
  return text;
}
