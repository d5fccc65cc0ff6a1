import { CacheError } from '../errors.ts';
import { located, refuse, words } from './refuse.ts';
import { parseSourceUrl, type SourceUrl, withoutCredentials } from './source-url.ts';

/** The source URLs of one repository, separated by white space. */
export function parseSources(text: string): readonly SourceUrl[] {
  return sourcesOf(words(text));
}

/** The source URLs of one repository, in the order in which they are tried. */
export function sourcesOf(texts: readonly string[]): readonly SourceUrl[] {
  const sources = texts.map(parseSource);
  const seen = new Set<string>();
  for (const { url } of sources) {
    // A source that is its own stand-by would be asked twice and set aside twice.
    if (seen.has(url)) refuse(url, `"${url}" is listed twice`);
    seen.add(url);
  }
  return sources;
}

/** The `http://` proxy to reach the sources through, credentials included: never show it. */
export function parseProxy(text: string): string {
  const { protocol, basePath } = parseSource(text);
  const shown = withoutCredentials(text);
  if (protocol !== 'http:') refuse(shown, `"${shown}": only an http:// proxy is possible`);
  if (basePath !== '/') refuse(shown, `"${shown}": a proxy has no path`);
  return text;
}

function parseSource(text: string): SourceUrl {
  const shown = withoutCredentials(text);
  if (/[,;]https?:\/\//i.test(text)) refuse(shown, `"${shown}": separate URLs with white space`);
  return located(
    () => parseSourceUrl(text),
    ({ reason }) =>
      new CacheError('config', { verb: 'use', thing: shown, reason: `"${shown}": ${reason}` }),
  );
}
