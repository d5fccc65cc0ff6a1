import picomatch from 'picomatch';
import { CacheError, describe } from '../errors.ts';

/** Whether a name may change in place, and which rule says so. */
export interface Classification {
  readonly mutable: boolean;
  /** The glob, or a sentence such as `suffix .tar.xz`, for `why`. */
  readonly rule: string;
  readonly origin: 'IMMUTABLE' | 'MUTABLE' | 'built-in' | 'default';
}

/** Decides by name alone which entries are never re-checked. */
export interface Policy {
  /** @param path below the repository's root, decoded, without a leading slash. */
  classify(path: string): Classification;
}

/** One line of the built-in table: `keep` is immutable, `check` is revalidated. */
export type BuiltInRule = readonly [distribution: string, verdict: 'keep' | 'check', glob: string];

const stamp = '20??????T??????Z';
const digest = '[0-9a-f]'.repeat(8);
const moving =
  '{latest,Latest,LATEST,current,Current,CURRENT,nightly,daily,SNAPSHOT,HEAD,master,main,trunk}';

/**
 * The built-in table: the first match wins, so a directory that decides for all its names stands
 * before the names that decide alone. What is replaced under one name somewhere (Gentoo's binary
 * packages, rawhide, Alpine's edge) is checked: a 304 costs little, a frozen index is unforgivable.
 */
export const builtInRules: readonly BuiltInRule[] = [
  ['Gentoo', 'keep', '**/distfiles/[0-9a-f][0-9a-f]/**'],
  ['Gentoo', 'check', 'distfiles/{layout.conf,INDEX*,index.html,timestamp.*}'],
  ['pkgsrc', 'check', 'distfiles/{,pkg-}vulnerabilities*'],
  ['Gentoo', 'keep', 'distfiles/**'],
  ['Gentoo', 'check', '**/timestamp.*'],
  ['Gentoo', 'check', '**/*.{gpkg.tar,xpak}{,.sig,.asc}'],
  ['Gentoo', 'check', '**/latest-*.txt'],
  ['Gentoo', 'keep', '**/snapshots/**/{gentoo,portage}-20??????.*'],
  ['Gentoo', 'keep', '**/snapshots/deltas/snapshot-20??????-20??????.patch.bz2{,.md5sum}'],
  ['Gentoo', 'keep', `**/autobuilds/${stamp}/**`],
  ['Gentoo', 'keep', `**/*-${stamp}*`],
  ['Debian', 'keep', '**/by-hash/{MD5Sum,SHA1,SHA256,SHA512}/*'],
  ['Debian', 'keep', '**/dists/**/installer-*/20*/**'],
  ['Debian', 'check', '**/dists/**'],
  // Gentoo's and OpenWrt's Packages.gz and flat Debian repositories have no directory of their own.
  ['Debian', 'check', '**/{InRelease,Release,Release.gpg,Packages*,Sources*,Index}'],
  ['Debian', 'check', '**/{Contents,Translation,Components,Commands,icons}-*'],
  ['Debian', 'check', '**/indices/**'],
  ['Arch', 'check', '**/*.{db,files,links}{,.sig,.tar,.tar.*}'],
  ['Arch', 'check', '**/{lastsync,lastupdate}'],
  ['Alpine', 'check', '**/{APKINDEX.tar.gz,latest-releases.yaml}'],
  ['Alpine', 'check', '**/edge/**'],
  ['RPM', 'keep', `**/repodata/${digest}*-*`],
  ['RPM', 'check', '**/repodata/**'],
  ['RPM', 'check', '**/{.treeinfo,metalink*,mirrorlist*}'],
  ['RPM', 'check', '**/{development,rawhide}/**'],
  ['FreeBSD', 'check', '**/{packagesite,meta,digests}.{txz,tzst}'],
  ['TeX Live', 'check', '**/tlnet/**'],
  ['any', 'check', '**/{nixexprs,pkgsrc,*-index}.tar.*'],
  ['any', 'check', '**/refs/heads/**'],
  ['any', 'check', `**/{,*[-_.]}${moving}[-_.]*`],
  ['Debian', 'keep', '**/pool/**/*.{deb,udeb,ddeb,dsc,tar.*,diff.gz}'],
  ['Void', 'keep', '**/*.xbps{,.sig,.sig2}'],
  // A directory of that name holds other files tomorrow, Alpine's latest-stable and OpenBSD's
  // snapshots among them.
  ['any', 'check', '**/{latest,current,nightly,daily,snapshots}/**'],
  ['any', 'check', '**/{{latest,current}-*,*-{latest,current}}/**'],
  ['Arch', 'keep', '**/*.pkg.tar.{zst,xz,gz,bz2,lz4}{,.sig}'],
  ['Arch', 'keep', '**/iso/20??.??.??/**'],
  ['Alpine', 'keep', '**/v[0-9].*/**/*.apk'],
  ['RPM', 'keep', '**/*.{rpm,drpm}'],
  ['RPM', 'keep', '**/iso/Fedora-*.iso'],
];

// Left out on purpose, for each is replaced under one name somewhere: a bare .gz or .xz (the form of
// an index), .tbz2 (Gentoo's old binary packages), .pkg, .ipk, .apk, .iso and .img.
const packageSuffix = 'u?deb|ddeb|dsc|d?rpm|xbps|crate|gem|whl|nupkg|jar|conda';
const archiveSuffix = 'tar(?:\\.(?:gz|bz2|xz|zst|lz|lz4|lzma|lzo|Z))?|t[gxl]z|tzst|zip|7z|cpio';
const patchSuffix = '(?:diff|patch)\\.(?:gz|bz2|xz|zst)';
const proofSuffix =
  'asc|sign?|gpgsig|minisig|md5(?:sum)?|umd5sum|(?:sha(?:1|256|512)|b2)(?:sum)?|DIGESTS|CONTENTS(?:\\.gz)?|zsync|metadata';
const immutableSuffix = new RegExp(
  `[^/](\\.(?:${packageSuffix}|${archiveSuffix}|${patchSuffix})(?:\\.(?:${proofSuffix}))*)$`,
  's',
);

/** Of so many names at most it is remembered what they are. */
const KNOWN_NAMES = 10_000;

interface Rule {
  readonly pattern: RegExp;
  readonly classification: Classification;
}

/**
 * The admin's IMMUTABLE globs, then MUTABLE, then the built-in table, then the suffix.
 *
 * @throws CacheError `config` for a glob that cannot be read.
 */
export function createPolicy(options: {
  readonly immutable: readonly string[];
  readonly mutable: readonly string[];
}): Policy {
  const rules: readonly Rule[] = [
    ...options.immutable.map((glob) => compile(glob, { mutable: false, origin: 'IMMUTABLE' })),
    ...options.mutable.map((glob) => compile(glob, { mutable: true, origin: 'MUTABLE' })),
    ...builtInRules.map(([, verdict, glob]) =>
      compile(glob, { mutable: verdict === 'check', origin: 'built-in' }),
    ),
  ];
  // Forty patterns a name are a good part of what a hit costs, and the same names come again.
  const known = new Map<string, Classification>();
  return {
    classify(path) {
      const before = known.get(path);
      if (before !== undefined) return before;
      const rule = rules.find(({ pattern }) => pattern.test(path));
      const classification = rule?.classification ?? classifyBySuffix(path);
      if (known.size === KNOWN_NAMES) known.clear();
      known.set(path, classification);
      return classification;
    },
  };
}

/** Whether a name promises HTML, so that HTML is no sign of a captive portal or an error page. */
export function isHtmlName(path: string): boolean {
  return /\.(?:html?|xhtml)$/i.test(path);
}

/** Whether a name promises a package, an archive or a proof of one: nothing that is ever HTML. */
export function isArchiveName(path: string): boolean {
  return immutableSuffix.test(path);
}

function classifyBySuffix(path: string): Classification {
  const suffix = immutableSuffix.exec(path)?.[1];
  return suffix === undefined
    ? { mutable: true, rule: 'no rule: revalidated', origin: 'default' }
    : { mutable: false, rule: `suffix ${suffix}`, origin: 'default' };
}

function compile(glob: string, verdict: Omit<Classification, 'rule'>): Rule {
  return { pattern: globPattern(glob), classification: { ...verdict, rule: glob } };
}

/**
 * What any of these globs matches.
 *
 * @throws CacheError `config` for a glob that cannot be read.
 */
export function anyGlobPattern(globs: readonly string[]): RegExp {
  return new RegExp(globs.map((glob) => `(?:${globPattern(glob).source})`).join('|'), 's');
}

/**
 * What a glob of the admin's matches, as a regular expression for whole paths.
 *
 * @throws CacheError `config` for a glob that cannot be read.
 */
export function globPattern(glob: string): RegExp {
  // Names hold ( ) and |, and picomatch hands them to the regular expression as they are.
  const literal = glob.replace(/^\/+/, '').replace(/(?<!\\)[()|]/g, '\\$&');
  try {
    return picomatch.makeRe(literal, {
      dot: true,
      nonegate: true,
      noextglob: true,
      windows: false,
      // For [!a], which is negated only in this mode.
      posix: true,
      keepQuotes: true,
      strictBrackets: true,
      fastpaths: false,
      // A bad pattern throws; otherwise it would match nothing.
      debug: true,
      // A name may hold a line feed.
      flags: 's',
    });
  } catch (error) {
    throw new CacheError('config', {
      verb: 'parse glob',
      thing: glob,
      reason: describe(error),
      cause: error,
    });
  }
}
