const plainText = 'text/plain; charset=utf-8';
const pgpSignature = 'application/pgp-signature';

/** By the last extension, in lower case; names as IANA registers them, where it does. */
const types: ReadonlyMap<string, string> = new Map([
  ['deb', 'application/vnd.debian.binary-package'],
  ['udeb', 'application/vnd.debian.binary-package'],
  ['ddeb', 'application/vnd.debian.binary-package'],
  ['rpm', 'application/x-rpm'],
  ['drpm', 'application/x-rpm'],
  ['jar', 'application/java-archive'],
  ['crate', 'application/gzip'],
  ['gz', 'application/gzip'],
  ['tgz', 'application/gzip'],
  ['xz', 'application/x-xz'],
  ['txz', 'application/x-xz'],
  ['zst', 'application/zstd'],
  ['tzst', 'application/zstd'],
  ['bz2', 'application/x-bzip2'],
  ['tbz2', 'application/x-bzip2'],
  ['tar', 'application/x-tar'],
  ['zip', 'application/zip'],
  ['7z', 'application/x-7z-compressed'],
  ['asc', pgpSignature],
  ['sig', pgpSignature],
  ['sign', pgpSignature],
  ['gpg', pgpSignature],
  ['gpgsig', pgpSignature],
  ['txt', plainText],
  ['conf', plainText],
  ['md5', plainText],
  ['md5sum', plainText],
  ['umd5sum', plainText],
  ['sha1', plainText],
  ['sha1sum', plainText],
  ['sha256', plainText],
  ['sha256sum', plainText],
  ['sha512', plainText],
  ['sha512sum', plainText],
  ['b2sum', plainText],
  ['digests', plainText],
  ['contents', plainText],
  ['dsc', plainText],
  ['diff', plainText],
  ['patch', plainText],
  // Without a charset: the document names its own.
  ['html', 'text/html'],
  ['htm', 'text/html'],
  ['xhtml', 'application/xhtml+xml'],
  ['xml', 'application/xml'],
  ['json', 'application/json'],
  ['yaml', 'application/yaml'],
  ['pdf', 'application/pdf'],
]);

/**
 * The Content-Type (RFC 9110 section 8.3) of a stored package, by its name alone.
 *
 * `foo.tar.gz` is gzip as a type, never a Content-Encoding: its bytes are what was asked for.
 */
export function contentTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = dot === -1 ? '' : name.slice(dot + 1).toLowerCase();
  return types.get(extension) ?? 'application/octet-stream';
}
