import test from 'ava';
import { type Paint, paintFor, plain } from '../../ctl/paint.ts';
import {
  complaintsOf,
  headingOf,
  isFailure,
  type Reported,
  type Row,
  wordReply,
  wordRow,
} from '../../ctl/report.ts';
import { wordEvent } from '../../ctl/report-entries.ts';
import { someNow } from './here.ts';
import { aside, cache, download, stats, status, why, works } from './replies.ts';

const wording = { paint: plain, now: someNow };
const day = 86_400_000;

function said<N extends Reported>(command: N, reply: Parameters<typeof wordReply<N>>[0]['reply']) {
  return wordReply({ command, reply }, wording);
}

function line(command: Reported, given: Row) {
  return wordRow({ command, row: given }, wording);
}

/** Without the margin that the source text gives it; moments are told in this machine's time. */
function text([margin]: TemplateStringsArray): string {
  const lines = (margin ?? '').split('\n').slice(1, -1);
  return lines.map((line) => `${line.slice(4)}\n`).join('');
}

function timeless(words: string): string {
  return words.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'YYYY-MM-DD hh:mm');
}

test('status says what it is, where it is, and how its sources are', (t) => {
  t.is(
    timeless(said('status', status)),
    text`
    package-cache 9.8.7 runs, all is well.

      up since        YYYY-MM-DD hh:mm (3d), pid 4242
      configuration   /etc/conf.d/package-cache
      listening on    http://0.0.0.0:4000/
      control socket  /run/package-cache/control.sock
      delivery        sendfile
      log level       info
      cache           /var/cache/package-cache: 12,345 files, 128G of at most 200G
      disk            412G free of 900G (45.8 %), 1.0G stay free
      now             1 download, 14 clients

      PATH      SOURCE                         STATE
      /         http://ftp.fau.de/gentoo/      works
                http://distfiles.gentoo.org/   set aside for 40s, since 5m ago: connect ECONNREFUSED 192.0.2.1:80
      /debian/  http://m1.example.org/debian/  not asked yet
    `,
  );
});

test('status begins with what is not as it should be', (t) => {
  const degraded = ['files are passed on and not stored: the disk is full'];
  const bare = { ...cache, maxSize: null, minFree: 0, storing: false };
  const words = said('status', { ...status, degraded, cache: bare });
  t.regex(words, /^package-cache 9\.8\.7 runs, but:\n {2}! files are passed on .* full\n\n/);
  t.regex(words, /^ {2}cache .*: 12,345 files, 128G$/m);
  t.regex(words, /^ {2}disk .*\(45\.8 %\); nothing is stored$/m);
  const silent = { ...cache, diskSize: null, diskFree: null };
  const other = said('status', { ...status, cache: silent, configFile: null });
  t.regex(other, /^ {2}disk +it does not answer$/m);
  t.regex(other, /^ {2}configuration +no file, /m);
});

test('status tells what is known of Manifests', (t) => {
  const guru = { path: '/r/guru', manifests: 12, digests: 34, malformed: 2, problem: null };
  const problem = 'Cannot read "/r/gentoo": it does not exist';
  const gentoo = { path: '/r/gentoo', manifests: 19_000, digests: 99_999, malformed: 0, problem };
  const manifests = {
    digests: 100_001,
    files: 99_998,
    readAt: someNow - 5 * 60_000,
    repositories: [gentoo, guru],
    problem: null,
  };
  const words = said('status', { ...status, manifests });
  t.regex(words, /^ {2}manifests {7}100,001 digests of 99,998 files, looked through 5m ago$/m);
  t.true(
    words.endsWith(text`

      MANIFESTS OF  PACKAGES  DIGESTS  STATE
      /r/gentoo       19,000   99,999  see above
      /r/guru             12       34  read       2 malformed lines passed over
    `),
    words,
  );
  const early = { ...manifests, readAt: null, repositories: [] };
  const first = said('status', { ...status, manifests: early });
  t.regex(first, /^ {2}manifests {7}not read yet$/m);
  t.false(first.includes('MANIFESTS OF'));
});

test('stats draws the ages so that the N for cull can be read off', (t) => {
  t.is(
    timeless(said('stats', stats)),
    text`
    Counted                        THIS RUN          LIFETIME
    since                  YYYY-MM-DD hh:mm  YYYY-MM-DD hh:mm
    requests                         12,345         1,234,567
      hits                           11,530            11,530
      misses                            700               700
      collapsed                          80                80
      revalidated                        20                20
      stale                               3                 3
      passed                             12                12
      errors                              9                 9
    hit ratio by requests            93.4 %             100 %
    hit ratio by bytes               93.7 %            93.7 %
    served                             300G              300G
    fetched                           19.0G             19.0G
    saved                              281G              281G
    downloads stored                    690               690
    downloads failed                     10                10

    Stored  12,345 files, 128G (counted 4h ago)
    Verified  12,200 files, 127G, 3d ago; 1 was wrong, 1 repaired

    Last used           FILES   SIZE                            CULL --older-than  FREES
      less than 1d ago    120   3.0G  █▌
      1d to 7d ago      1,204   9.5G  ████▊                                    1d   125G  97.7 %
      7d to 30d ago     2,400  22.5G  ███████████▎                             7d   116G  90.2 %
      30d to 90d ago    4,100  48.0G  ████████████████████████                30d  93.0G  72.7 %
      90d to 180d ago   3,021  31.0G  ███████████████▌                        90d  45.0G  35.2 %
      180d to 1y ago    1,400  13.9G  ███████                                180d  14.0G  10.9 %
      1y ago or more      100   102M  ▏                                        1y   102M   0.1 %
    `,
  );
});

test('stats of a cache that is empty and new has no ratios', (t) => {
  const nothing = { ...stats.sinceStart, requests: 0, hitRatio: null, byteHitRatio: null };
  const ages = [{ from: '0', to: null, entries: 0, bytes: 0 }];
  const empty = { ...stats, sinceStart: nothing, entries: 0, bytes: 0, countedAt: null, ages };
  const words = said('stats', empty);
  t.regex(words, /^hit ratio by requests +- +100 %$/m);
  t.regex(words, /^Stored {2}0 files, 0B \(no walk has counted them yet\)$/m);
});

test('sources are a table, with the reasons of those that fail below', (t) => {
  const failing = { ...aside, state: 'failing', retryAt: null } as const;
  const repositories = [{ name: '', path: '/', sources: [works, aside, failing] }];
  t.is(
    said('sources', { repositories }),
    text`
    PATH  STATE              FOR  LATENCY  BYTES  SOURCE
    /     works               3d    12 ms  12.5G  http://ftp.fau.de/gentoo/
          set aside for 40s   5m        -     0B  http://distfiles.gentoo.org/
          failing             5m        -     0B  http://distfiles.gentoo.org/

    ! http://distfiles.gentoo.org/: connect ECONNREFUSED 192.0.2.1:80 (3 failures)
    ! http://distfiles.gentoo.org/: connect ECONNREFUSED 192.0.2.1:80 (3 failures)
    `,
  );
});

test('downloads tell how far they are, and what is not known yet', (t) => {
  const asking = { ...download, state: 'asking', source: null, length: null } as const;
  const fresh = { ...asking, bytes: 0, rate: null, eta: null, clients: 1 };
  t.is(
    said('downloads', { downloads: [download, fresh], cancelled: null }),
    text`
      DONE  BYTES    OF     RATE  LEFT  CLIENTS  SOURCE      PATH
      45 %  62.0M  138M  11.5M/s    7s        3  ftp.fau.de  distfiles/ab/linux-6.18.tar.xz
    asking     0B     ?        -     -        1  -           distfiles/ab/linux-6.18.tar.xz
    `,
  );
  const none = { downloads: [], cancelled: 'a/b' };
  t.is(said('downloads', none), 'Gave up the download of a/b.\nNothing is being downloaded.\n');
});

test('why tells the kind, the copy, and where it would come from', (t) => {
  t.is(
    timeless(said('why', why)),
    text`
    /distfiles/ab/foo-1.tar.xz
      key            distfiles/ab/foo-1.tar.xz
      repository     the root
      kind           immutable, never checked again (**/distfiles/[0-9a-f][0-9a-f]/**, built in)
      stored         12.4M, last used 3d ago
      file           /var/cache/package-cache/distfiles/ab/foo-1.tar.xz
      modified       YYYY-MM-DD hh:mm
      by a Manifest  13,000,000 bytes, BLAKE2B 0123456789abcdef…
      last download  3d ago: stored, 12.4M from ftp.fau.de

    Asked in this order:
      1.  http://ftp.fau.de/gentoo/distfiles/ab/foo-1.tar.xz     works
      2.  http://distfiles.gentoo.org/distfiles/ab/foo-1.tar.xz  set aside for 40s: connect ECONNREFUSED 192.0.2.1:80
    `,
  );
});

test('why tells when a mutable copy is asked for again, and what is under way', (t) => {
  const entry = why.entry === null ? null : { ...why.entry, source: works.url };
  const stale = entry === null ? null : { ...entry, checked: someNow - 90_000, freshUntil: 0 };
  const reply = { ...why, mutable: true, ruleFrom: 'MUTABLE', entry: stale, download } as const;
  const words = said('why', { ...reply, missing: true, last: null });
  t.regex(words, /kind +mutable, checked with its source \(.*, by MUTABLE\)/);
  t.regex(words, /came from +http:\/\/ftp\.fau\.de\/gentoo\//);
  t.regex(words, /checked +1m ago, asked at the next request/);
  t.regex(words, /download +streaming, 62\.0M of 138M from ftp\.fau\.de, 3 clients/);
  t.regex(words, /missing +every source said so/);
  t.regex(words, /last download +none since the start/);
  const passed = said('why', { ...why, pass: true, entry: null, sources: [] });
  t.regex(passed, /kind +passed on, never stored: a directory or a query/);
  t.regex(passed, /stored +no\n(.*\n)*No source would be asked\.\n$/);
});

const row = { path: 'a/b', size: 13_000_000, lastUse: someNow - 3 * day };

test('rows stand below their headings', (t) => {
  const list = [
    line('ls', { ...row, mutable: false }),
    line('ls', { ...row, size: 9, lastUse: someNow - 999 * day, mutable: true }),
  ];
  t.is(
    headingOf('ls') + list.join(''),
    text`
      SIZE   LAST USE  KIND       PATH
     12.4M     3d ago  immutable  a/b
        9B   2.7y ago  mutable    a/b
    `,
  );
  t.is(
    headingOf('cull') + line('cull', row),
    text`
      SIZE   LAST USE  PATH
     12.4M     3d ago  a/b
    `,
  );
  const fetched = [
    { path: 'a/b', outcome: 'stored', size: 13_000_000, reason: null },
    { path: 'c', outcome: 'present', size: 9, reason: null },
    { path: 'd', outcome: 'failed', size: null, reason: 'no source has it' },
  ] as const;
  t.is(
    fetched.map((each) => line('fetch', each)).join(''),
    text`
    stored    12.4M  a/b
    present      9B  c
    failed        -  d: no source has it
    `,
  );
});

const none = { entries: 0, bytes: 0, failed: 0, problems: [] };
const some = { ...none, entries: 1204, bytes: 3.1 * 1024 ** 3 };
const endings: readonly (readonly [words: string, is: string])[] = [
  [said('ls', some), '1,204 files, 3.1G\n'],
  [said('ls', none), 'Nothing matches.\n'],
  [said('cull', { ...some, dryRun: false, kept: 0 }), 'Removed 1,204 files, 3.1G.\n'],
  [
    said('cull', { ...some, dryRun: true, kept: 1 }),
    'Would remove 1,204 files, 3.1G. 1 file used meanwhile stayed.\n',
  ],
  [said('cull', { ...none, dryRun: false, kept: 0 }), 'Nothing is old enough to remove.\n'],
  [said('purge', { ...some, entries: 1, partials: 0, unmatched: [] }), 'Removed 1 file, 3.1G.\n'],
  [
    said('purge', { ...some, entries: 1, partials: 2, unmatched: [] }),
    'Removed 1 file, 3.1G, and 2 unfinished downloads.\n',
  ],
  [said('purge', { ...none, partials: 1, unmatched: [] }), 'Removed 1 unfinished download.\n'],
  [said('purge', { ...none, partials: 0, unmatched: ['x'] }), 'Nothing was removed.\n'],
  [
    said('fetch', { stored: 2, present: 1, failed: 3, bytes: 2048 }),
    'Fetched 2 files, 2.0K; 1 was there already; 3 failed.\n',
  ],
  [
    said('reload', { configFile: '/c', live: ['SOURCES', 'ALLOW'], restart: ['PORT'] }),
    'Read /c.\nIn force now: SOURCES, ALLOW.\nA restart is needed for: PORT.\n',
  ],
  [said('reload', { configFile: '/c', live: [], restart: [] }), 'Read /c; nothing has changed.\n'],
  [said('log-level', { level: 'info', former: 'info' }), 'The log level is info.\n'],
  [said('log-level', { level: 'debug', former: 'info' }), 'The log level is debug; it was info.\n'],
];

for (const [words, is] of endings) {
  test(`an answer ends "${is.trim().replaceAll('\n', ' ')}"`, (t) => {
    t.is(words, is);
  });
}

test('what could not be done is a sentence each, and the exit code says so', (t) => {
  const problems = [{ path: 'a\u0007', reason: 'EPERM' }];
  const reply = { ...some, failed: 3, problems, partials: 0, unmatched: ['x/**'] };
  t.deepEqual(complaintsOf('purge', reply), [
    'Cannot purge "x/**": nothing stored matches',
    'Cannot remove "a\\u0007": EPERM',
    'Cannot remove "2 more": see the log',
  ]);
  t.true(isFailure('cull', reply));
  t.false(isFailure('cull', none));
  t.true(isFailure('purge', { ...none, partials: 0 }));
  t.false(isFailure('purge', { ...none, partials: 1 }));
});

test('an event is one line, which names what it happened to', (t) => {
  const event = { at: someNow, kind: 'stored', thing: 'a/b', text: '12.4M in 2s' } as const;
  t.regex(wordEvent(event, wording), /^\d\d:\d\d:\d\d {2}stored {5}a\/b: 12\.4M in 2s\n$/);
  t.regex(wordEvent({ ...event, text: 'stored a/b' }, wording), / {2}stored a\/b\n$/);
});

test('no name can steer the terminal', (t) => {
  t.is(line('cull', { ...row, path: 'a\u001b[2J\n' }), ' 12.4M     3d ago  a\\u001b[2J\\u000a\n');
});

test('colour is for terminals that want it', (t) => {
  const shown = (paint: Paint) => paint.bad('x') !== 'x';
  t.true(shown(paintFor({ terminal: true, env: {} })));
  t.true(shown(paintFor({ terminal: true, env: { NO_COLOR: '' } })));
  t.false(shown(paintFor({ terminal: true, env: { NO_COLOR: '1' } })));
  t.false(shown(paintFor({ terminal: true, env: { TERM: 'dumb' } })));
  t.false(shown(paintFor({ terminal: false, env: {} })));
});

test('colour does not move a column', (t) => {
  const coloured = { paint: paintFor({ terminal: true, env: {} }), now: someNow };
  const words = wordReply({ command: 'status', reply: status }, coloured);
  t.not(words, said('status', status));
  // biome-ignore lint/complexity/useRegexLiterals: an escape is clearer as one
  t.is(words.replace(new RegExp('\\u001b\\[\\d+m', 'g'), ''), said('status', status));
});
