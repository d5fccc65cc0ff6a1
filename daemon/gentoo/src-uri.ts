/** An entry of SRC_URI, with its conditions left out (PMS section 8.2.10). */
export interface SrcUri {
  /** As it is written, without what stands before its scheme: `mirror://gnu/which/which-2.tar.gz`. */
  readonly uri: string;
  /** What the file is called among the distfiles. */
  readonly name: string;
}

/** What a file of metadata/md5-cache says, line by line. */
export function readCacheEntry(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => /^(\w+)=(.*)$/.exec(line));
  return new Map(lines.map((line) => [line?.[1] ?? '', line?.[2] ?? '']));
}

/**
 * The files that an ebuild may have fetched, whatever its USE flags are. One with RESTRICT="fetch"
 * has none but those that it exempts with `fetch+` or `mirror+` (EAPI 8).
 */
export function parseSrcUri(entry: ReadonlyMap<string, string>): readonly SrcUri[] {
  const words = wordsOf(entry.get('SRC_URI'));
  const isRestricted = wordsOf(entry.get('RESTRICT')).includes('fetch');
  return words.flatMap((word, index) => {
    if (word === '->' || words[index - 1] === '->') return [];
    const [, exempt, uri = ''] = /^((?:fetch|mirror)\+)?(\w[\w+.-]*:\/\/.*)$/.exec(word) ?? [];
    if (uri === '' || (isRestricted && exempt === undefined)) return [];
    const name = words[index + 1] === '->' ? words[index + 2] : uri.split('/').at(-1);
    return name === undefined || name === '' ? [] : { uri, name };
  });
}

/** The words of a value, without conditions and brackets, under which all kinds of them may stand. */
function wordsOf(value = ''): readonly string[] {
  return value.split(/\s+/).filter((word) => !/^(?:!?[\w+@-]+\?|[()]|)$/.test(word));
}

/** The mirrors of each name in a profiles/thirdpartymirrors. */
export function parseMirrors(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').trim().split(/\s+/));
  return new Map(lines.map(([name = '', ...mirrors]) => [name, mirrors]));
}

/**
 * The names of the repositories that one builds upon, by its metadata/layout.conf: ::gentoo, where
 * nothing is said.
 */
export function parseMasters(text: string): readonly string[] {
  const value = /^[^\S\n]*masters[^\S\n]*=(.*)$/m.exec(text)?.[1] ?? 'gentoo';
  return wordsOf(value.replace(/#.*$/, ''));
}
