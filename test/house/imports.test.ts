import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';
import test from 'ava';

const root = dirname(dirname(import.meta.dirname));

/** Arrows point upwards: a file imports files of earlier rooms, and of its own without a cycle. */
const rooms: readonly RegExp[] = [
  /^daemon\/(?:errors|units|stats|events|schedule)\.ts$/,
  /^daemon\/http\//,
  /^daemon\/system\//,
  /^daemon\/config\//,
  /^daemon\/cache\//,
  /^daemon\/gentoo\//,
  /^daemon\/room\//,
  /^daemon\/origin\//,
  /^daemon\/serve\//,
  /^daemon\/control\//,
  /^daemon\/live-config\.ts$/,
  /^daemon\/daemon\.ts$/,
  /^daemon\/(?:check|prepare)\.ts$/,
  /^daemon\/program\.ts$/,
  /^daemon\/main\.ts$/,
];

/** Every third-party package, and the only files that may know of it. */
const fences: Readonly<Record<string, readonly string[]>> = {
  ini: ['daemon/config/conf-file.ts'],
  koffi: ['daemon/system/koffi.ts'],
  picomatch: ['daemon/cache/policy.ts', 'daemon/config/values.ts'],
  undici: ['daemon/origin/connect.ts', 'daemon/origin/exchange.ts', 'daemon/origin/request.ts'],
  winston: ['daemon/system/log.ts'],
  ws: ['daemon/control/socket.ts', 'ctl/client.ts'],
};

const pureModules = ['node:buffer', 'node:crypto', 'node:path', 'node:url', 'node:util'];
const protocol = [
  'protocol',
  'wire',
  'messages',
  'reports',
  'content-reports',
  'process-report',
  'manifests-report',
  'source-report',
].map((name) => `daemon/control/${name}.ts`);
const ctlMayShare = [...protocol, 'daemon/errors.ts', 'daemon/units.ts'];
const mayExit = ['daemon/main.ts', 'ctl/main.ts'];

interface Import {
  readonly file: string;
  /** As written: `./x.ts`, `node:fs`, `undici`. */
  readonly specifier: string;
  /** The file below the root, for a relative specifier. */
  readonly target: string | undefined;
  /** What stands before `from`. */
  readonly clause: string;
}

/**
 * Statements begin their line, as Biome formats them; calls (`import`, `require`) may stand
 * anywhere but in a comment. A specifier that is computed is not seen.
 */
const importForms: readonly RegExp[] = [
  /^(?:import|export)\s+(?<clause>[^'";]*?)\bfrom\s*['"](?<specifier>[^'"]+)['"]/gm,
  /^import\s*['"](?<specifier>[^'"]+)['"]/gm,
  /^(?!\s*(?:\/\/|\/?\*)).*\b(?:import|require)\(\s*['"](?<specifier>[^'"]+)['"]/gm,
];

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function filesOf(folder: string): readonly string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root }).toSorted();
}

function importsOf(file: string): readonly Import[] {
  return importsIn(file, read(file));
}

function importsIn(file: string, text: string): readonly Import[] {
  return importForms
    .flatMap((form) => [...text.matchAll(form)])
    .map(({ groups }) => {
      const specifier = groups?.specifier ?? '';
      const target = specifier.startsWith('.')
        ? posix.join(posix.dirname(file), specifier)
        : undefined;
      return { file, specifier, target, clause: groups?.clause ?? '' };
    });
}

/** `@scope/name/deep` belongs to the package `@scope/name`; Node's own modules to none. */
function packageOf({ specifier, target }: Import): string | undefined {
  if (target !== undefined || isBuiltin(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

function roomOf(file: string): number {
  return rooms.findIndex((room) => room.test(file));
}

/** Types are gone at run time, and `isIP` only reads its argument. */
function isPure({ specifier, clause }: Import): boolean {
  if (pureModules.includes(specifier) || clause.startsWith('type ')) return true;
  return specifier === 'node:net' && /^\{[\s,]*(?:isIP(?:v[46])?[\s,]*)+\}\s*$/.test(clause);
}

function arrow({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}

/** What is left when files that import nothing that is left are taken away, again and again. */
function filesInCycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const left = new Map(graph);
  for (let size = -1; size !== left.size; ) {
    size = left.size;
    for (const [file, targets] of left) {
      if (!targets.some((target) => left.has(target))) left.delete(file);
    }
  }
  // The rest also holds files that only lead to a cycle: follow one path until it bites its tail.
  const path: string[] = [];
  let next = left.keys().next().value;
  while (next !== undefined && !path.includes(next)) {
    path.push(next);
    next = left.get(next)?.find((target) => left.has(target));
  }
  return next === undefined ? [] : [...path.slice(path.indexOf(next)), next];
}

const daemon = filesOf('daemon');
const ctl = filesOf('ctl');
const imports = [...daemon, ...ctl].flatMap(importsOf);
const testImports = filesOf('test').flatMap(importsOf);

test('every file of the daemon belongs to a room', (t) => {
  t.deepEqual(
    daemon.filter((file) => roomOf(file) === -1),
    [],
  );
});

test('a relative import names a file that exists, with its extension', (t) => {
  const known = new Set([...daemon, ...ctl]);
  const dangling = imports.filter(({ target }) => target !== undefined && !known.has(target));
  t.deepEqual(dangling.map(arrow), []);
});

test('no file of the daemon imports a later room, or ctl', (t) => {
  const upward = imports.filter(
    ({ file, target }) =>
      target !== undefined &&
      file.startsWith('daemon/') &&
      (roomOf(target) === -1 || roomOf(target) > roomOf(file)),
  );
  t.deepEqual(upward.map(arrow), []);
});

test('no file imports itself, however long the way round', (t) => {
  const graph = new Map(
    [...daemon, ...ctl].map((file) => [
      file,
      imports.flatMap(({ file: from, target }) => (from === file && target ? [target] : [])),
    ]),
  );
  t.is(filesInCycles(graph).join(' → '), '');
});

test('every form of import is seen, and no comment', (t) => {
  const text = [
    "import type { A } from './a.ts';",
    'import {',
    '  b,',
    "} from './b.ts';",
    "export * from './c.ts';",
    "import './d.ts';",
    "const e = await import('./e.ts');",
    "const f = require('./f.ts');",
    "// const g = await import('./g.ts');",
    "/** import h from './h.ts' */",
    "const from = 'i.ts';",
  ].join('\n');
  t.deepEqual(
    importsIn('daemon/x.ts', text).map(({ target }) => target),
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `daemon/${name}.ts`),
  );
});

test('a cycle is found among files that lead to it', (t) => {
  const graph = new Map([
    ['leaf', []],
    ['lead', ['a', 'leaf']],
    ['a', ['leaf', 'b']],
    ['b', ['a']],
  ]);
  t.deepEqual(filesInCycles(graph), ['a', 'b', 'a']);
  t.deepEqual(filesInCycles(new Map([['self', ['self']]])), ['self', 'self']);
  t.deepEqual(filesInCycles(new Map([['lead', ['leaf']]])), []);
});

test('ctl shares the protocol and the pure files with the daemon, and nothing else', (t) => {
  const foreign = imports.filter(
    ({ file, target }) =>
      file.startsWith('ctl/') &&
      target !== undefined &&
      !target.startsWith('ctl/') &&
      !ctlMayShare.includes(target),
  );
  t.deepEqual(foreign.map(arrow), []);
});

test('the protocol imports nothing but its own types', (t) => {
  const foreign = imports.filter(
    ({ file, target, clause }) =>
      protocol.includes(file) && !(clause.startsWith('type ') && protocol.includes(target ?? '')),
  );
  t.deepEqual(foreign.map(arrow), []);
});

test('http/ is pure: errors, units, its own room, and modules that touch no system', (t) => {
  const impure = imports.filter((one) => {
    if (!one.file.startsWith('daemon/http/')) return false;
    if (one.target === undefined) return !isPure(one);
    return !/^daemon\/(?:http\/|(?:errors|units)\.ts$)/.test(one.target);
  });
  t.deepEqual(impure.map(arrow), []);
});

test('a third-party package is imported only where its fence lets it', (t) => {
  const outside = imports.filter((one) => {
    const name = packageOf(one);
    return name !== undefined && !fences[name]?.includes(one.file);
  });
  t.deepEqual(outside.map(arrow), []);
});

test('what the programs import is bundled, so that whoever installs them needs no package', (t) => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json'));
  t.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
  const imported = new Set(imports.map(packageOf));
  t.deepEqual(
    Object.keys(fences).filter((name) => !imported.has(name) || !(name in devDependencies)),
    [],
  );
});

test('every bare import of a test or of the build is in package.json', (t) => {
  const { devDependencies } = JSON.parse(read('package.json'));
  const missing = [...testImports, ...filesOf('contrib').flatMap(importsOf)].filter((one) => {
    const name = packageOf(one);
    return name !== undefined && !(name in devDependencies);
  });
  t.deepEqual(missing.map(arrow), []);
});

test('only the two main files end the process', (t) => {
  const ends = [...daemon, ...ctl].filter(
    (file) =>
      !mayExit.includes(file) && /^(?!\s*(?:\/\/|\/?\*)).*\bprocess\.exit\b/m.test(read(file)),
  );
  t.deepEqual(ends, []);
});
