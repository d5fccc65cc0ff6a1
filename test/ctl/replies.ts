import type {
  CacheReport,
  CountsReport,
  DownloadReport,
  StatsReply,
  StatusReply,
  TopReply,
  WhyReply,
} from '../../daemon/control/reports.ts';
import type { SourceReport } from '../../daemon/control/source-report.ts';
import { someNow } from './here.ts';

const minute = 60_000;
const day = 86_400_000;
const G = 1024 ** 3;

/** A source that works. */
export const works: SourceReport = {
  url: 'http://ftp.fau.de/gentoo/',
  state: 'works',
  reason: null,
  since: someNow - 3 * day,
  retryAt: null,
  failures: 0,
  latency: 12.4,
  bytes: 12.5 * G,
};

/** A source that failed. */
export const aside: SourceReport = {
  url: 'http://distfiles.gentoo.org/',
  state: 'aside',
  reason: 'connect ECONNREFUSED 192.0.2.1:80',
  since: someNow - 5 * minute,
  retryAt: someNow + 40_000,
  failures: 3,
  latency: null,
  bytes: 0,
};

/** A cache of 128G at most 200G. */
export const cache: CacheReport = {
  directory: '/var/cache/package-cache',
  entries: 12_345,
  bytes: 128 * G,
  maxSize: 200 * G,
  minFree: G,
  diskSize: 900 * G,
  diskFree: 412 * G,
  storing: true,
};

/** A daemon with one repository more, and one source set aside. */
export const status: StatusReply = {
  version: '9.8.7',
  pid: 4242,
  startedAt: someNow - 3 * day,
  configFile: '/etc/conf.d/package-cache',
  addresses: ['http://0.0.0.0:4000/'],
  controlSocket: '/run/package-cache/control.sock',
  delivery: 'sendfile',
  logLevel: 'info',
  repositories: [
    { name: '', path: '/', sources: [works, aside] },
    {
      name: 'debian',
      path: '/debian/',
      sources: [{ ...works, url: 'http://m1.example.org/debian/', state: 'idle', latency: null }],
    },
  ],
  manifests: null,
  cache,
  downloads: 1,
  clients: 14,
  process: {
    rss: 90 * 1024 ** 2,
    heapUsed: 12 * 1024 ** 2,
    external: 1024 ** 2,
    resources: { TCPServerWrap: 1 },
  },
  degraded: [],
};

/** What was counted. */
export const counts: CountsReport = {
  since: someNow - 3 * day,
  requests: 12_345,
  hits: 11_530,
  misses: 700,
  collapsed: 80,
  revalidated: 20,
  stale: 3,
  passed: 12,
  errors: 9,
  bytesServed: 300 * G,
  bytesHit: 281 * G,
  bytesFetched: 19 * G,
  bytesSaved: 281 * G,
  fills: 690,
  fillsFailed: 10,
  hitRatio: 0.934,
  byteHitRatio: 0.9367,
};

/** A cache whose middle-aged files take the most room. */
export const stats: StatsReply = {
  sinceStart: counts,
  lifetime: { ...counts, since: someNow - 400 * day, requests: 1_234_567, hitRatio: 1 },
  entries: 12_345,
  bytes: 128 * G,
  countedAt: someNow - 4 * 3_600_000,
  ages: [
    { from: '0', to: '1d', entries: 120, bytes: 3 * G },
    { from: '1d', to: '7d', entries: 1204, bytes: 9.5 * G },
    { from: '7d', to: '30d', entries: 2400, bytes: 22.5 * G },
    { from: '30d', to: '90d', entries: 4100, bytes: 48 * G },
    { from: '90d', to: '180d', entries: 3021, bytes: 31 * G },
    { from: '180d', to: '1y', entries: 1400, bytes: 13.9 * G },
    { from: '1y', to: null, entries: 100, bytes: 0.1 * G },
  ],
  reclaimable: [{ age: '90d', entries: 4521, bytes: 45 * G }],
  verification: {
    at: someNow - 3 * day,
    entries: 12_200,
    bytes: 127 * G,
    wrong: 1,
    repaired: 1,
  },
};

/** A download at 45 %. */
export const download: DownloadReport = {
  path: 'distfiles/ab/linux-6.18.tar.xz',
  state: 'streaming',
  source: 'http://ftp.fau.de/gentoo/',
  startedAt: someNow - 6000,
  bytes: 65_011_712,
  length: 144_470_016,
  rate: 11.5 * 1024 ** 2,
  eta: 6600,
  clients: 3,
};

/** Why an immutable, stored path is answered as it is. */
export const why: WhyReply = {
  path: '/distfiles/ab/foo-1.tar.xz',
  key: 'distfiles/ab/foo-1.tar.xz',
  repository: '',
  pass: false,
  mutable: false,
  rule: '**/distfiles/[0-9a-f][0-9a-f]/**',
  ruleFrom: 'built-in',
  entry: {
    file: '/var/cache/package-cache/distfiles/ab/foo-1.tar.xz',
    size: 13_000_000,
    modified: someNow - 100 * day,
    lastUse: someNow - 3 * day,
    checked: null,
    freshUntil: null,
    source: null,
  },
  download: null,
  sources: [
    { ...works, asks: 'http://ftp.fau.de/gentoo/distfiles/ab/foo-1.tar.xz' },
    { ...aside, asks: 'http://distfiles.gentoo.org/distfiles/ab/foo-1.tar.xz' },
  ],
  digests: [{ size: 13_000_000, algorithm: 'blake2b512', hash: '0123456789abcdef'.repeat(8) }],
  missing: false,
  last: {
    at: someNow - 3 * day,
    outcome: 'stored',
    source: 'http://ftp.fau.de/gentoo/',
    bytes: 13_000_000,
    reason: null,
  },
};

/** A frame of `top` with so many downloads. */
export function frame(at: number, downloads: number): TopReply {
  return {
    at,
    clients: 14,
    counts: { ...counts, requests: counts.requests + (at - someNow) / 100 },
    downloads: Array.from({ length: downloads }, (_, index) => ({
      ...download,
      path: `${download.path}.${index}`,
    })),
    cache,
    degraded: [],
  };
}
