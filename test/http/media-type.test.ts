import test from 'ava';
import fc from 'fast-check';
import { contentTypeOf } from '../../daemon/http/media-type.ts';

const names: Readonly<Record<string, string>> = {
  'distfiles/80/which-2.23.tar.gz': 'application/gzip',
  'linux-6.1.tar.xz': 'application/x-xz',
  'core/os/x86_64/bash-5.2-1-x86_64.pkg.tar.zst': 'application/zstd',
  'gentoo-20261120.tar.bz2': 'application/x-bzip2',
  'pool/main/h/hello/hello_2.10-3_amd64.deb': 'application/vnd.debian.binary-package',
  'hello-2.12.1-4.fc40.x86_64.rpm': 'application/x-rpm',
  'hello-1.0.zip': 'application/zip',
  'tiny-1.0-1.gpkg.tar': 'application/x-tar',
  'linux-6.1.tar.sign': 'application/pgp-signature',
  'stage3.tar.xz.asc': 'application/pgp-signature',
  'distfiles/layout.conf': 'text/plain; charset=utf-8',
  'gentoo-20261120.tar.xz.md5sum': 'text/plain; charset=utf-8',
  'stage3.tar.xz.DIGESTS': 'text/plain; charset=utf-8',
  'doc/Index.HTML': 'text/html',
};

for (const [name, type] of Object.entries(names)) {
  test(`${name} is ${type}`, (t) => {
    t.is(contentTypeOf(name), type);
  });
}

const plainBytes = [
  '',
  '.',
  'x.',
  'InRelease',
  'foo.d/bar',
  'a.txt/b',
  'x.constructor',
  'x.__proto__',
];

for (const name of plainBytes) {
  test(`"${name}" has no known type and is a stream of octets`, (t) => {
    t.is(contentTypeOf(name), 'application/octet-stream');
  });
}

test('every name has a type that can stand in a header field', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) =>
        /^[a-z]+\/[a-z0-9.+-]+(; charset=utf-8)?$/.test(contentTypeOf(name)),
      ),
    ),
  );
});
