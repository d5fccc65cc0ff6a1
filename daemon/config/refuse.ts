import { CacheError } from '../errors.ts';
import { withoutCredentials } from './source-url.ts';

/**
 * Refuses a configured value. The reason must stand alone: whoever knows the line or the option
 * that the value came from names it in front of the reason.
 */
export function refuse(value: string, reason: string): never {
  const thing = shown(value);
  const told = (thing === value ? reason : reason.replaceAll(value, thing))
    // Or a part of it.
    .replace(/"[^"]*"/g, (quoted) => `"${shown(quoted.slice(1, -1))}"`);
  throw new CacheError('config', { verb: 'use', thing, reason: told });
}

// A URL in the place of something else may hold a password all the same.
function shown(text: string): string {
  return /@|:\/\//.test(text) ? withoutCredentials(text) : text;
}

/** What `parse` returns; its CacheError is handed to `rename`, which says where the value stood. */
export function located<T>(parse: () => T, rename: (error: CacheError) => CacheError): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof CacheError ? rename(error) : error;
  }
}

/** The items of a list that is separated by white space, as the shell splits it. */
export function words(text: string): readonly string[] {
  const items = text.split(/[ \t\n]+/).filter((word) => word !== '');
  // To the shell it is part of the value, to whoever wrote it a comment.
  if (items.some((item) => item.startsWith('#'))) refuse('#', 'a # within quotes is no comment');
  return items;
}
