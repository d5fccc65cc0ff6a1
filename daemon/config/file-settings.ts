import { CacheError } from '../errors.ts';
import { type ConfLine, parseConfFile } from './conf-file.ts';
import { findKey, type Settings, unknownKey } from './key-names.ts';
import { keys } from './keys.ts';
import { type OptionSettings, parseOptionSettings } from './options.ts';
import { readText } from './read-text.ts';
import { located, refuse, words } from './refuse.ts';
import type { SourceUrl } from './source-url.ts';

/** What a configuration file sets, and nothing else. */
export interface FileSettings {
  readonly settings: Omit<Settings, 'repository' | 'options'>;
  /** The settings of PC_OPTS. */
  readonly options: OptionSettings;
  /** The repositories beside the root, in the order of the file. */
  readonly repositories: readonly { readonly name: string; readonly sources: Sources }[];
}

type Sources = readonly SourceUrl[];

/**
 * Reads a configuration file.
 *
 * @throws CacheError `config` that names the file, the line and the key.
 */
export function readSettings(path: string): FileSettings {
  const settings: Record<string, unknown> = {};
  const repositories: { name: string; sources: Sources }[] = [];
  let options: OptionSettings = {};
  const read = ({ key, value }: ConfLine) => {
    const { name, row } = findKey(key) ?? refuse(key, unknownKey(key));
    // An empty value is how a conf.d file leaves a key unset.
    if (value.trim() === '') return;
    if (name === 'PC_OPTS') options = readOptions(value);
    else if (name === 'SOURCES_<name>') {
      repositories.push({ name: key.slice('SOURCES_'.length), sources: keys[name].parse(value) });
    } else settings[row.field] = row.parse(value);
  };
  for (const line of parseConfFile(readText(path), path)) {
    located(
      () => read(line),
      (cause) => {
        const reason = `line ${line.line}: ${line.key}: ${cause.reason}`;
        return new CacheError('config', { verb: 'read', thing: path, reason, cause });
      },
    );
  }
  return { settings, options, repositories };
}

function readOptions(text: string): OptionSettings {
  return located(
    () => parseOptionSettings(words(text)),
    ({ message, cause }) => {
      // The whole sentence, since it names the option that is wrong.
      const reason = message.replace(/^C/, 'c');
      return new CacheError('config', { verb: 'read', thing: 'PC_OPTS', reason, cause });
    },
  );
}
