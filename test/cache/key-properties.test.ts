import { posix } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type ParsedPath, parsePath } from '../../daemon/cache/key.ts';
import { CacheError } from '../../daemon/errors.ts';

/** Names that a file may have; most of what escapes, climbs or means something to somebody. */
const name = fc
  .string({
    unit: fc.constantFrom(
      'a',
      'Z',
      '0',
      '.',
      '-',
      '+',
      '%',
      '2',
      'F',
      'e',
      ' ',
      '?',
      '#',
      'ä',
      '🦀',
      '\n',
    ),
    minLength: 1,
    maxLength: 20,
  })
  .filter((text) => text !== '.' && text !== '..');
const names = fc.array(name, { minLength: 1, maxLength: 6 });

test('a path is decoded exactly once: what was encoded once comes back', (t) => {
  holds(
    fc.property(names, (components) => {
      const once = components.map(encodeURIComponent);
      const twice = once.map(encodeURIComponent);
      t.deepEqual(parsePath(`/${once.join('/')}`).components, components);
      t.deepEqual(parsePath(`/${twice.join('/')}`).components, once);
    }),
    t,
  );
});

test('every spelling of a name is one key', (t) => {
  const spelt = fc.tuple(name, fc.infiniteStream(fc.constantFrom('plain', 'lower', 'upper')));
  holds(
    fc.property(spelt, ([text, choices]) => {
      t.deepEqual(parsePath(`/x/${spell(text, choices)}`).components, ['x', text]);
    }),
    t,
  );
});

test('what the sources are asked for is the name that is stored', (t) => {
  holds(
    fc.property(names, (components) => {
      const { spelled } = parsePath(`/./${components.map(encodeURIComponent).join('//')}/`);
      t.deepEqual(parsePath(spelled.join('/')).components, components);
    }),
    t,
  );
});

const hostilePieces = [
  '/',
  '..',
  '.',
  '%2e',
  '%2E',
  '%2f',
  '%5c',
  '\\',
  '%00',
  '\0',
  '%25',
  '2e',
  '%c0%ae',
  '%',
  'a',
  '~',
  '//',
  ' ',
  '%0a',
  '.package-cache',
];
const hostile = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...hostilePieces) }, fc.string()), {
    maxLength: 12,
  })
  .map((pieces) => `/${pieces.join('')}`);

test('no path at all names a file outside the root or one of the cache', (t) => {
  holds(
    fc.property(hostile, (path) => {
      const parsed = parse(path);
      if (parsed instanceof CacheError) return;
      const key = parsed.components.join('/');
      t.is(posix.resolve('/root', key), posix.join('/root', key));
      t.is(posix.join('/root', key), key === '' ? '/root' : `/root/${key}`, path);
      t.notRegex(key, /\0|\\|(?:^|\/)\.package-cache/);
      t.true(Buffer.byteLength(key) <= 1024);
      t.true(parsed.components.every((component) => Buffer.byteLength(component) <= 255));
    }),
    t,
  );
});

/** Runs a property; fast-check words the failure, with the smallest example. */
function holds(
  property: fc.IRawProperty<unknown>,
  t: { notThrows(run: () => void): boolean },
): void {
  t.notThrows(() => fc.assert(property));
}

function parse(path: string): ParsedPath | CacheError {
  try {
    return parsePath(path);
  } catch (error) {
    if (error instanceof CacheError) return error;
    throw error;
  }
}

/** Each byte as it is, where a request line may hold it, or escaped. */
function spell(text: string, choices: Iterable<string>): string {
  const choose = choices[Symbol.iterator]();
  return [...Buffer.from(text)]
    .map((byte) => {
      const escaped = `%${byte.toString(16).padStart(2, '0')}`;
      const plain = String.fromCharCode(byte);
      const choice: string = choose.next().value ?? 'plain';
      if (choice === 'upper') return escaped.toUpperCase();
      return choice === 'plain' && /[A-Za-z0-9+.~-]/.test(plain) ? plain : escaped;
    })
    .join('');
}
