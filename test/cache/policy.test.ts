import test from 'ava';
import fc from 'fast-check';
import { builtInRules, createPolicy, isHtmlName } from '../../daemon/cache/policy.ts';
import { CacheError } from '../../daemon/errors.ts';

const builtIn = createPolicy({ immutable: [], mutable: [] });

interface Examples {
  readonly immutable: readonly string[];
  readonly mutable: readonly string[];
}

const sha256 = '0f3a5c7e9b1d2f4a6c8e0a2b4c6d8e0f1a3b5c7d9e1f2a4b6c8d0e2f4a6b8c0d';

const distributions: Readonly<Record<string, Examples>> = {
  Gentoo: {
    immutable: [
      'distfiles/80/which-2.23.tar.gz',
      'distfiles/8c/github.com%2F!burnt!sushi%2Ftoml%2F@v%2Fv0.3.1.mod',
      'distfiles/3c/InRelease',
      'distfiles/3c/timestamp.js',
      'distfiles/3c/foo-latest.html',
      'distfiles/3c/core.db',
      'distfiles/3c/.hidden',
      'distfiles/3c/4d/nested-layout-1.0.txt',
      'gentoo/distfiles/ff/foo-1.0.txt',
      'distfiles/which-2.23.tar.gz',
      'distfiles/foo-1.0.md5sum',
      'distfiles/core.db',
      'snapshots/gentoo-20261120.tar.xz',
      'snapshots/gentoo-20261120.tar.xz.md5sum',
      'snapshots/gentoo-20261120.tar.xz.gpgsig',
      'snapshots/portage-20261120.tar.bz2.umd5sum',
      'snapshots/squashfs/gentoo-20261120.xz.sqfs',
      'snapshots/deltas/snapshot-20261119-20261120.patch.bz2',
      'snapshots/deltas/snapshot-20261119-20261120.patch.bz2.md5sum',
      'releases/amd64/autobuilds/20261120T170000Z/stage3-amd64-openrc-20261120T170000Z.tar.xz',
      'releases/amd64/autobuilds/20261120T170000Z/admincd.packages',
      'releases/amd64/autobuilds/current-stage3-amd64-openrc/stage3-amd64-openrc-20261120T170000Z.tar.xz.DIGESTS',
      'releases/amd64/autobuilds/current-install-amd64-minimal/install-amd64-minimal-20261120T170000Z.iso',
      'amd64/autobuilds/20261120T170000Z/stage3.CONTENTS.gz',
    ],
    mutable: [
      'distfiles/layout.conf',
      'distfiles/INDEX',
      'distfiles/INDEX.gz',
      'distfiles/timestamp.mirmon',
      'distfiles/index.html',
      'gentoo/distfiles/layout.conf',
      'snapshots/timestamp.mirmon',
      'snapshots/gentoo-latest.tar.xz',
      'snapshots/gentoo-latest.tar.xz.md5sum',
      'snapshots/gentoo-latest.tar.xz.gpgsig',
      'snapshots/portage-latest.tar.bz2',
      'snapshots/squashfs/gentoo-current.xz.sqfs',
      'snapshots/squashfs/sha512sum.txt',
      'releases/amd64/autobuilds/latest-stage3-amd64-openrc.txt',
      'releases/amd64/autobuilds/current-stage3-amd64-openrc/latest-stage3-amd64-openrc.txt',
      'releases/amd64/binpackages/23.0/x86-64/Packages',
      'releases/amd64/binpackages/23.0/x86-64/Packages.gz',
      'releases/amd64/binpackages/23.0/x86-64/app-misc/tiny/tiny-1.0-1.gpkg.tar',
      'binhost/sys-libs/tiny/tiny-1.0-20261120T170000Z-1.gpkg.tar',
      'binhost/app-misc/tiny-1.0-1.xpak',
      'binhost/app-misc/tiny-1.0.tbz2',
      'archive/refs/heads/stable.zip',
    ],
  },
  'Debian and Ubuntu': {
    immutable: [
      `dists/bookworm/main/binary-amd64/by-hash/SHA256/${sha256}`,
      `debian/dists/sid/main/by-hash/MD5Sum/${sha256.slice(0, 32)}`,
      'dists/bookworm/main/installer-amd64/20230607+deb12u5/images/netboot/netboot.tar.gz',
      'dists/bookworm/main/installer-amd64/20230607+deb12u5/images/SHA256SUMS',
      'pool/main/h/hello/hello_2.10-3_amd64.deb',
      'debian/pool/main/h/hello/hello_2.10-3.dsc',
      'pool/main/h/hello/hello_2.10.orig.tar.gz',
      'pool/main/h/hello/hello_2.10.orig.tar.gz.asc',
      'pool/main/h/hello/hello_2.10-3.diff.gz',
      'pool/main/l/linux-latest/linux-image-amd64_4.19+105_amd64.deb',
      'pool/main/d/debian-installer/foo-udeb_1.0_amd64.udeb',
      'pool/main/b/bash/bash-dbgsym_5.2_amd64.ddeb',
      'flat/amd64/hello_2.10-3_amd64.deb',
    ],
    mutable: [
      'dists/bookworm/InRelease',
      'debian/dists/bookworm/Release.gpg',
      'dists/bookworm/main/binary-amd64/Packages.xz',
      'dists/bookworm/main/source/Sources.gz',
      'dists/bookworm/main/Contents-amd64.gz',
      'dists/bookworm/main/i18n/Translation-en.bz2',
      'dists/bookworm/main/dep11/Components-amd64.yml.gz',
      'dists/bookworm/main/dep11/icons-128x128.tar.gz',
      'dists/noble/main/cnf/Commands-amd64.xz',
      'dists/sid/main/binary-amd64/Packages.diff/Index',
      'dists/bookworm/main/installer-amd64/current/images/netboot/netboot.tar.gz',
      'dists/noble/main/dist-upgrader-all/current/noble.tar.gz',
      'dists/experimental/anything-1.0.tar.gz',
      'flat/Packages.gz',
      'flat/Release',
      'main/dep11/icons-64x64.tar.gz',
      'indices/files/components/suite.list.tar.gz',
      'ls-lR.gz',
      'google-chrome-stable_current_amd64.deb',
      'debian-cd/current/amd64/iso-cd/debian-12.5.0-amd64-netinst.iso',
    ],
  },
  Arch: {
    immutable: [
      'core/os/x86_64/bash-5.2.026-2-x86_64.pkg.tar.zst',
      'core/os/x86_64/bash-5.2.026-2-x86_64.pkg.tar.zst.sig',
      'aarch64/core/bash-5.2.026-2-aarch64.pkg.tar.xz',
      'iso/2026.11.01/archlinux-x86_64.iso',
      'iso/2026.11.01/sha256sums.txt',
    ],
    mutable: [
      'core/os/x86_64/core.db',
      'core/os/x86_64/core.db.sig',
      'core/os/x86_64/core.files',
      'core/os/x86_64/core.files.tar.gz',
      'core/os/x86_64/core.db.tar.gz.sig',
      'core/os/x86_64/core.db.tar.gz.old',
      'core/os/x86_64/core.links.tar.gz',
      'core.db',
      'lastsync',
      'archlinux/lastupdate',
      'iso/latest/archlinux-x86_64.iso',
      'iso/latest/archlinux-bootstrap-x86_64.tar.zst',
    ],
  },
  Alpine: {
    immutable: [
      'v3.22/main/x86_64/busybox-1.37.0-r18.apk',
      'alpine/v3.22/community/aarch64/foo-1.0-r0.apk',
      'v3.22/releases/x86_64/alpine-minirootfs-3.22.1-x86_64.tar.gz.sha256',
    ],
    mutable: [
      'v3.22/main/x86_64/APKINDEX.tar.gz',
      'edge/main/x86_64/APKINDEX.tar.gz',
      'edge/main/x86_64/busybox-1.37.0-r18.apk',
      'main/x86_64/busybox-1.37.0-r18.apk',
      'v3.22/releases/x86_64/latest-releases.yaml',
      'latest-stable/main/x86_64/busybox-1.37.0-r18.apk',
      'latest-stable/releases/x86_64/alpine-minirootfs-3.22.1-x86_64.tar.gz',
    ],
  },
  'Fedora, EL and openSUSE': {
    immutable: [
      'releases/43/Everything/x86_64/os/Packages/h/hello-2.12.1-4.fc43.x86_64.rpm',
      'fedora/linux/updates/43/Everything/x86_64/drpms/a-1_2-1.x86_64.drpm',
      `releases/43/Everything/x86_64/os/repodata/${sha256}-primary.xml.zst`,
      `leap/repo/oss/repodata/${sha256.slice(0, 32)}-filelists.sqlite.bz2`,
      `development/rawhide/Everything/x86_64/os/repodata/${sha256}-primary.xml.gz`,
      'releases/43/Server/x86_64/iso/Fedora-Server-dvd-x86_64-43-1.6.iso',
    ],
    mutable: [
      'releases/43/Everything/x86_64/os/repodata/repomd.xml',
      'releases/43/Everything/x86_64/os/repodata/repomd.xml.asc',
      'oss/repodata/repomd.xml.key',
      'centos/6/os/x86_64/repodata/primary.xml.gz',
      'centos/6/os/x86_64/repodata/comps.xml',
      'releases/43/Everything/x86_64/os/.treeinfo',
      'metalink',
      'centos/mirrorlist.txt',
      'development/rawhide/Everything/x86_64/os/Packages/h/hello-2.12.1-4.fc44.x86_64.rpm',
      'rawhide/hello-2.12.1-4.fc44.x86_64.rpm',
      'epel-release-latest-9.noarch.rpm',
      'tumbleweed/iso/openSUSE-Tumbleweed-DVD-x86_64-Current.iso',
      '9-stream/BaseOS/x86_64/iso/CentOS-Stream-9-latest-x86_64-dvd1.iso',
      'isos/x86_64/Rocky-x86_64-boot.iso',
    ],
  },
  others: {
    immutable: [
      'current/bash-5.2_1.x86_64.xbps',
      'current/bash-5.2_1.x86_64.xbps.sig2',
      'linux/kernel/v6.x/linux-6.12.tar.xz',
      'linux/kernel/v6.x/linux-6.12.tar.sign',
      'crates/serde/serde-1.0.0.crate',
      'is-odd/-/is-odd-3.0.1.tgz',
      'packages/ab/cd/foo-1.0-py3-none-any.whl.metadata',
      'concurrent-1.0.tar.gz',
      'foo-1.0.patch.xz',
    ],
    mutable: [
      '',
      'README',
      'pkg/',
      'distfiles/vulnerabilities',
      'distfiles/pkg-vulnerabilities.gz',
      'FreeBSD:14:amd64/quarterly/packagesite.txz',
      'FreeBSD:14:amd64/quarterly/All/bash-5.2.pkg',
      'systems/texlive/tlnet/archive/amsmath.tar.xz',
      'nixos-unstable/nixexprs.tar.xz',
      'packages/01-index.tar.gz',
      'modules/02packages.details.txt.gz',
      'src/contrib/PACKAGES.gz',
      'linux/kernel/v6.x/sha256sums.asc',
      'owner/project/archive/master.tar.gz',
      'gentoo-master.zip',
      'owner/project/archive/refs/heads/fix.tar.gz',
      'dist/rust-nightly-x86_64-unknown-linux-gnu.tar.xz',
      'dist/channel-rust-stable.toml.sha256',
      'org/foo/1.0-SNAPSHOT/foo-1.0-SNAPSHOT.jar',
      'org/foo/maven-metadata.xml.sha1',
      'slackware64-current/slackware64/a/bash-5.2-x86_64-1.txz',
      'pub/OpenBSD/snapshots/amd64/base78.tgz',
      'releases/23.05.3/packages/x86_64/base/foo_1.0-1_x86_64.ipk',
    ],
  },
};

const allExamples = Object.values(distributions).flatMap(({ immutable, mutable }) => [
  ...immutable,
  ...mutable,
]);

for (const [distribution, { immutable, mutable }] of Object.entries(distributions)) {
  test(`${distribution}: what is never reused under its name is kept without a check`, (t) => {
    for (const path of immutable) {
      const classification = builtIn.classify(path);
      t.false(classification.mutable, `${path}: ${classification.rule}`);
    }
  });

  test(`${distribution}: what changes in place is revalidated`, (t) => {
    for (const path of mutable) {
      const classification = builtIn.classify(path);
      t.true(classification.mutable, `${path}: ${classification.rule}`);
    }
  });
}

test('every built-in glob decides at least one example', (t) => {
  const used = new Set(allExamples.map((path) => builtIn.classify(path).rule));
  t.deepEqual(
    builtInRules.map(([, , glob]) => glob).filter((glob) => !used.has(glob)),
    [],
  );
});

test('a built-in glob reaches names with odd characters and line feeds', (t) => {
  for (const name of [
    'a+b',
    'a~b',
    'a%2Fb',
    '(a)',
    '!a',
    '@a',
    '[a]',
    '{a,b}',
    '.a',
    'a\nb',
    'ü$^|',
  ]) {
    t.false(builtIn.classify(`distfiles/3c/${name}`).mutable, name);
    t.true(builtIn.classify(`dists/${name}/${name}.deb`).mutable, name);
    t.false(builtIn.classify(`x/${name}-1.0.tar.gz`).mutable, name);
  }
});

test('the admin decides first, and IMMUTABLE before MUTABLE', (t) => {
  const policy = createPolicy({
    immutable: ['dists/frozen/**', '*.both'],
    mutable: ['**/*.deb', '*.both'],
  });
  t.deepEqual(policy.classify('dists/frozen/InRelease'), {
    mutable: false,
    rule: 'dists/frozen/**',
    origin: 'IMMUTABLE',
  });
  t.deepEqual(policy.classify('pool/a_1_all.deb'), {
    mutable: true,
    rule: '**/*.deb',
    origin: 'MUTABLE',
  });
  t.is(policy.classify('x.both').origin, 'IMMUTABLE');
});

test('a classification names its rule for people', (t) => {
  t.deepEqual(builtIn.classify('dists/sid/InRelease'), {
    mutable: true,
    rule: '**/dists/**',
    origin: 'built-in',
  });
  t.deepEqual(builtIn.classify('x/a-1.0.tar.xz.asc'), {
    mutable: false,
    rule: 'suffix .tar.xz.asc',
    origin: 'default',
  });
  t.deepEqual(builtIn.classify('x/readme'), {
    mutable: true,
    rule: 'no rule: revalidated',
    origin: 'default',
  });
});

const adminGlobs: readonly (readonly [glob: string, matches: string, doesNot: string])[] = [
  ['*.txt', 'a.txt', 'b/a.txt'],
  ['**/*.txt', 'b/.a.txt', 'a.txt/b'],
  ['/own/*', 'own/a', 'a/own/b'],
  ['!a', '!a', 'b'],
  ['a(1).zip', 'a(1).zip', 'a1.zip'],
  ['+(a)', '+(a)', 'aa'],
  ['a|b', 'a|b', 'a'],
  ['a+b.c', 'a+b.c', 'aab.c'],
  ['[!a]x', 'bx', 'ax'],
  ['{a,b}/[0-9]', 'b/7', 'c/7'],
  ['a.c', 'a.c', 'abc'],
];

for (const [glob, matches, doesNot] of adminGlobs) {
  test(`the admin's glob ${glob} matches ${matches} and not ${doesNot}`, (t) => {
    const policy = createPolicy({ immutable: [], mutable: [glob] });
    t.is(policy.classify(matches).origin, 'MUTABLE');
    t.not(policy.classify(doesNot).origin, 'MUTABLE');
  });
}

for (const glob of ['', '/', 'a[', '{a,b', 'a]', '[z-a]']) {
  test(`"${glob}" is refused as a glob instead of matching nothing`, (t) => {
    const error = t.throws(() => createPolicy({ immutable: [glob], mutable: [] }), {
      instanceOf: CacheError,
    });
    t.is(error.code, 'config');
    t.true(error.message.startsWith(`Cannot parse glob "${glob}": `));
  });
}

test('no string makes it throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (path) => {
        const { rule, origin } = builtIn.classify(path);
        return rule !== '' && (origin === 'built-in' || origin === 'default');
      }),
    ),
  );
});

test("the admin's rules win for every path", (t) => {
  const keepAll = createPolicy({ immutable: ['**'], mutable: ['**'] });
  const checkAll = createPolicy({ immutable: [], mutable: ['**'] });
  const component = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .map((text) => text.replaceAll('/', '_'))
    .filter((text) => text !== '.' && text !== '..');
  const anyPath = fc.oneof(
    fc.constantFrom(...allExamples),
    fc.array(component, { minLength: 1, maxLength: 6 }).map((components) => components.join('/')),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(anyPath, (path) => {
        return !keepAll.classify(path).mutable && checkAll.classify(path).mutable;
      }),
    ),
  );
});

test('a path built to make the patterns search is decided within milliseconds', (t) => {
  const parts = ['a/', 'pool/', 'v3.0/', 'snapshots/gentoo-', '-latest', '.db', '.tar.asc', 'x-x-'];
  for (const part of parts) {
    const path = part.repeat(1024 / part.length);
    builtIn.classify(path);
    const began = performance.now();
    builtIn.classify(path);
    t.true(performance.now() - began < 250, part);
  }
});

test('only names that say so are HTML', (t) => {
  for (const path of ['index.html', 'a/b.htm', 'A.HTML', 'x.xhtml']) t.true(isHtmlName(path), path);
  for (const path of ['html', 'a.html.gz', 'a.html/b', 'x.shtml', ''])
    t.false(isHtmlName(path), path);
});
