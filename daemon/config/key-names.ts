import { type Key, keys } from './keys.ts';
import { suggestion } from './nearest.ts';

/** The name of a row in the table of keys. */
export type KeyName = keyof typeof keys;

type Row<N extends KeyName> = (typeof keys)[N];

/** Typed values by field; what nobody set is absent. */
export type Settings = {
  readonly [N in KeyName as Row<N>['field']]?: ReturnType<Row<N>['parse']>;
};

/** The names of all rows, in the order of the shipped file. */
export const keyNames = Object.keys(keys) as readonly KeyName[];

/** The row that a key of the file belongs to: `SOURCES_debian` to `SOURCES_<name>`. */
export function findKey(name: string): { readonly name: KeyName; readonly row: Key } | undefined {
  const known = /^SOURCES_[a-z0-9_]+$/.test(name) ? 'SOURCES_<name>' : name;
  return isKeyName(known) ? { name: known, row: keys[known] } : undefined;
}

/** How a key of ours is spelled that is written in another case, as `cache_dir` is. */
export function rightSpelling(name: string): string | undefined {
  const [, repository] = /^sources_([a-z0-9_]+)$/i.exec(name) ?? [];
  const spelled =
    repository === undefined ? name.toUpperCase() : `SOURCES_${repository.toLowerCase()}`;
  return spelled !== name && findKey(spelled) !== undefined ? spelled : undefined;
}

/** What is wrong with a key that has no row. */
export function unknownKey(name: string): string {
  return `unknown key${suggestion(name, keyNames)}`;
}

function isKeyName(name: string): name is KeyName {
  return Object.hasOwn(keys, name);
}
