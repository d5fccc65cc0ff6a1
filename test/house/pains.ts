/** What hurts the users of other caches, and what we have in its place. */
export interface Pain {
  readonly pain: string;
  /** In one line, with the file that does it. */
  readonly answer: string;
  /** By test file: how the titles of the tests begin that hold us to it, with … for what varies. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}

/** In the order of how much they hurt, and how many. */
export const pains: readonly Pain[] = [
  {
    pain: 'a body that was cut is kept, and served for ever',
    answer: 'daemon/origin/download.ts takes a body for whole by its framing and its length alone',
    tests: {
      'test/system/streaming-failures.test.ts': ['a body that … and cannot go on resets'],
      'test/system/streaming.test.ts': ['a body without length and chunks is streamed, and not'],
      'test/system/crash.test.ts': ['a daemon killed at any moment leaves whole files only'],
    },
  },
  {
    pain: 'a resumed download is spliced from two versions',
    answer:
      'daemon/origin/continuation.ts goes on with the same file only, and never with an index',
    tests: {
      'test/system/continue.test.ts': [
        'a copy that differs resets the readers, is fetched anew, and no Range splices it',
        'a source that answers the range of another file is not believed',
        'a partial of a file that has changed meanwhile is given up',
      ],
      'test/system/mutable-stale.test.ts': ['a changed body that breaks off is no end of the copy'],
    },
  },
  {
    pain: 'a file is made anew under its name, and the old one is served',
    answer:
      'daemon/serve/upkeep.ts hashes what the Manifests want otherwise by now; purge does the rest',
    tests: {
      'test/system/verified-again.test.ts': ['an entry whose name loses the digest it had'],
      'test/control/commands.test.ts': ['what is purged is downloaded anew'],
    },
  },
  {
    pain: 'a client gets the file of another',
    answer: 'daemon/serve/deliver.ts reads from the open file that its request found',
    tests: {
      'test/system/delivery-crowd.test.ts': ['no byte of one client reaches another'],
      'test/system/sources-connections.test.ts': ['what a source sends behind an answer is not'],
    },
  },
  {
    pain: 'what one request wanted is still there in the next one to the source',
    answer: 'daemon/origin/request.ts builds every request from nothing',
    tests: {
      'test/system/upstream-request.test.ts': [
        'a kept connection keeps nothing of the request before, a Range least of all',
        "… is asked for with our own fields and none of the client's",
      ],
    },
  },
  {
    pain: 'clients that share a download take bytes from each other',
    answer:
      'daemon/cache/growing-body.ts has each read the file by itself, up to a committed count',
    tests: {
      'test/system/streaming.test.ts': ['twenty clients on one cold file are one download'],
      'test/cache/partial.test.ts': ['followers of any pace get every byte'],
    },
  },
  {
    pain: 'a file is sent to its end before anyone has looked at its digest',
    answer: 'daemon/origin/proof.ts withholds the last bytes until the digest is right',
    tests: {
      'test/system/verified.test.ts': [
        'the last 64 KiB wait for the digest',
        'a file with a wrong digest never ends cleanly, is not stored',
      ],
    },
  },
  {
    pain: 'an HTML page is stored in place of an archive',
    answer: 'daemon/origin/judge.ts refuses it by its type, first-bytes.ts by what it begins with',
    tests: {
      'test/system/sources-lies.test.ts': [
        '… …',
        'what begins as HTML under a name that is no archive’s',
      ],
      'test/system/mutable.test.ts': ['an HTML page is no index'],
    },
  },
  {
    pain: 'an index comes with a signature, or with lists, of another state',
    answer: 'daemon/origin/sticky.ts keeps a group to one source, revalidation.ts never steps back',
    tests: {
      'test/system/mutable-mirrors.test.ts': [
        'the files of a directory come from one source',
        'all files of a Debian suite come from one source',
        'an older copy of another mirror does not replace ours',
      ],
      'test/system/mutable-fresh.test.ts': ['when one file of a directory changes, the others are'],
    },
  },
  {
    pain: 'files of one name from several trees are taken for one',
    answer: 'daemon/cache/key.ts keeps the whole path, with the name of the repository before it',
    tests: {
      'test/system/proxy-forms.test.ts': ['a prefix chooses a repository'],
      'test/serve/target.test.ts': ['a key begins with the name of its repository'],
      'test/system/layouts.test.ts': ['one entry serves clients of either layout'],
    },
  },
  {
    pain: 'a slow or dead mirror takes all the time that a client has',
    answer: 'daemon/origin/ask.ts asks the next source as well, health.ts remembers',
    tests: {
      'test/system/sources-hedge.test.ts': [
        'a slow source gets company, and the first good answer wins',
        'a source that accepts connections and says nothing is no reason to wait',
      ],
      'test/system/sources-health.test.ts': ['a source that failed is set aside'],
      'test/clients/pacman.test.ts': ['pacman, which waits ten seconds for a byte, never waits'],
    },
  },
  {
    pain: 'a limit on the whole time ends the download of a big file',
    answer: 'daemon/origin/watchdog.ts limits silence, and nothing else',
    tests: {
      'test/origin/watchdog.test.ts': ['1 kB/s is progress for ever: there is no limit'],
    },
  },
  {
    pain: 'a source that falls silent is never noticed, least of all behind a slow client',
    answer: 'daemon/origin/watchdog.ts has a clock of its own, assemble.ts goes on elsewhere',
    tests: {
      'test/system/continue.test.ts': [
        'a body that falls silent is continued from the next source',
      ],
      'test/system/streaming.test.ts': ['a client that stops reading slows neither the download'],
    },
  },
  {
    pain: 'readers look again and again whether a file has grown',
    answer: 'daemon/cache/growing-body.ts wakes whoever waits for a byte when it is there',
    tests: {
      'test/cache/body.test.ts': [
        'a reader sleeps until its own byte is there, and not for less',
        'one growth wakes every reader it is enough for',
      ],
    },
  },
  {
    pain: 'who comes second waits for the end of the first download, or has one of their own',
    answer: 'daemon/origin/collapse.ts has one fill for a key, which is joined at byte 0',
    tests: {
      'test/system/streaming.test.ts': [
        'the first bytes are with the client before the source has sent the others',
        'twenty clients on one cold file are one download',
      ],
    },
  },
  {
    pain: 'a second process cannot join the download of the first',
    answer: 'daemon/cache/directory.ts lets one daemon in; another cache joins it as its source',
    tests: {
      'test/system/storage-start.test.ts': ['a cache belongs to one daemon'],
      'test/system/upstream-request.test.ts': ['a cache behind a cache joins a download'],
    },
  },
  {
    pain: 'reading while it is written ends cleanly too early',
    answer: 'daemon/serve/deliver.ts resets the connection when the body fails',
    tests: {
      'test/system/streaming-failures.test.ts': [
        'a body that … and cannot go on resets its readers, and none takes it for whole',
        'a range that will never be reached is reset',
        'a stored file that is made shorter while it is read resets the reader',
      ],
    },
  },
  {
    pain: 'files are cut into slices, which do not fit each other',
    answer: 'daemon/origin/fill.ts fetches whole files, whatever ranges clients ask for',
    tests: {
      'test/clients/aria2.test.ts': ['eight aria2 connections on a cold file are one request'],
      'test/clients/curl.test.ts': ['curl --range is served from a cold cache with one whole'],
    },
  },
  {
    pain: 'a client that resumes is told that it cannot',
    answer: 'daemon/http/range.ts is asked in every state of a file; the range waits for its bytes',
    tests: {
      'test/system/ranges.test.ts': ['a … file: … for …'],
      'test/system/streaming.test.ts': ['a range in the middle of a download has its head at once'],
      'test/clients/pacman.test.ts': ['pacman that was interrupted goes on with its .part'],
    },
  },
  {
    pain: 'who asks for several ranges gets one that is wrong',
    answer: 'daemon/http/multipart.ts sends them all',
    tests: {
      'test/clients/zchunk.test.ts': ['zckdl gets the chunks that it lacks in one request'],
      'test/system/ranges.test.ts': ['a … file: … for …'],
    },
  },
  {
    pain: '404 counts as a failure, and every mirror is asked each time',
    answer: 'daemon/origin/collapse.ts remembers it for NEGATIVE_TTL; it costs no health',
    tests: {
      'test/system/sources-health.test.ts': [
        '404 from every source is a 404, and is remembered for NEGATIVE_TTL',
        '… costs a source no health',
      ],
      'test/clients/pacman.test.ts': ['pacman finds no signatures where there are none'],
    },
  },
  {
    pain: 'a name that could not be looked up at boot never can be',
    answer: 'daemon/origin/address.ts keeps no answer of the resolver, good or bad',
    tests: {
      'test/system/sources-names.test.ts': [
        'a name that could not be looked up at boot is looked up again',
        'a name that moves to another address is found there',
      ],
    },
  },
  {
    pain: 'IPv6 that leads nowhere makes a mirror unreachable',
    answer:
      'daemon/origin/connect.ts gives each address two seconds and remembers which one worked',
    tests: {
      'test/system/sources-names.test.ts': ['a source whose IPv6 leads nowhere costs two seconds'],
    },
  },
  {
    pain: 'on a full disk nothing works any more',
    answer: 'daemon/room/room.ts reserves, and what does not fit is passed on and not stored',
    tests: {
      'test/system/full-disk.test.ts': [
        'a disk that fills up under a download is not noticed by its readers',
        'storing resumes by itself when there is room again',
      ],
      'test/system/life-log.test.ts': ['a disk that takes not one byte more, of the log neither'],
      'test/room/room-size.test.ts': ['beyond MAX_SIZE entries go first'],
    },
  },
  {
    pain: 'access times that a mount does not keep decide what is removed',
    answer: 'daemon/cache/store.ts sets them itself, whatever the mount options are',
    tests: {
      'test/cache/store.test.ts': [
        'a use is noted in atime and ctime, and leaves the date of the package alone',
        'neither a chown nor a link looks like a use',
      ],
      'test/system/storage.test.ts': ['a … counts as a use'],
      'test/room/census.test.ts': ['what is committed counts as used today'],
    },
  },
  {
    pain: 'one error stops expiry for ever, and it needs a network and a cron',
    answer: 'daemon/room/budget.ts culls by age and size, and cull.ts passes over what it cannot',
    tests: {
      'test/room/cull-care.test.ts': ['what cannot be removed is told and passed over'],
      'test/room/budget.test.ts': ['CULL_OLDER_THAN is carried out an hour after the start'],
      'test/room/cull.test.ts': ['a dry run tells what would go and touches nothing'],
    },
  },
  {
    pain: 'a big cache takes minutes to start',
    answer:
      'daemon/room/budget.ts counts it in a thread some time after the start, and keeps the count',
    tests: {
      'test/room/budget.test.ts': [
        'some seconds after the start everything is counted, and then once a day',
        'after a restart MAX_SIZE is kept without counting first',
      ],
      'test/long/cull.test.ts': ['200,000 entries are counted'],
    },
  },
  {
    pain: 'a restart loses what was downloaded so far, and refuses clients',
    answer: 'daemon/cache/partial-book.ts keeps partials with a record; sockets may be handed over',
    tests: {
      'test/system/continue.test.ts': [
        'a killed download is resumed by itself after the next start',
        'a stopped download is kept, and the next start goes on from its last byte',
      ],
      'test/system/life.test.ts': ['told to stop, it takes nobody new'],
      'test/system/activation.test.ts': ['restarts under load lose no request'],
    },
  },
  {
    pain: 'vague errors about permissions, logs without end, memory for each slow client',
    answer:
      'daemon/prepare.ts names path, user and way out; one line a change; bodies stay in files',
    tests: {
      'test/system/privileges.test.ts': ['a cache that is not of PC_USER is told by path, uid'],
      'test/system/storage-start.test.ts': ['a cache whose "…" is not writable is told'],
      'test/system/life-log.test.ts': ['a source that fails and works again is one line each'],
      'test/long/memory.long.ts': [
        'a download of 4 GiB leaves the memory of the daemon where it was',
        'three hundred slow clients of one file add less than 100 MB',
      ],
    },
  },
  {
    pain: 'https, redirects, odd characters and passwords get in the way',
    answer:
      'daemon/origin/request.ts speaks TLS and follows, key.ts decodes; a Unix socket for admins',
    tests: {
      'test/system/sources-tls.test.ts': ['a source on https whose authority is in CA_FILE serves'],
      'test/system/sources-redirects.test.ts': [
        'a redirect to … is followed',
        'credentials go to their own source and to nobody it redirects to',
      ],
      'test/system/upstream-request.test.ts': ['the path goes out in the spelling of the client'],
      'test/system/names.test.ts': ['… is one file, whatever'],
      'test/control/socket.test.ts': ['the socket is for its owner and its group alone'],
    },
  },
];
