import test from 'ava';
import {
  FLAT_CONF,
  flatLayout,
  foldersIn,
  HASHED_CONF,
  hashedLayout,
  parseLayoutConf,
} from '../../daemon/gentoo/layout-conf.ts';

const name = 'which-2.23.tar.gz';

test('the two texts of our own are the two layouts', (t) => {
  t.deepEqual(parseLayoutConf(HASHED_CONF), hashedLayout);
  t.deepEqual(parseLayoutConf(FLAT_CONF), flatLayout);
});

test('of several structures the first in number that we know is taken, as Portage does', (t) => {
  const text =
    '# a comment\r\n[structure]\n 2 = flat\n0=content-hash SHA512 8:8:8\n1=filename-hash BLAKE2B 8\n';
  t.deepEqual(parseLayoutConf(text), hashedLayout);
  t.deepEqual(parseLayoutConf('[structure]\n10=flat\n9=filename-hash BLAKE2B 8\n'), hashedLayout);
});

for (const text of [
  '',
  '<html><title>404 Not Found</title></html>',
  '0=flat\n',
  '[other]\n0=flat\n',
  '[structure]\n[other]\n0=flat\n',
  '[structure]\n0=content-hash SHA512 8:8:8\n',
  '[structure]\n0=filename-hash MD5 8\n',
  '[structure]\n0=filename-hash BLAKE2B 7\n',
  '[structure]\n0=filename-hash BLAKE2B 0\n',
  '[structure]\n0=filename-hash BLAKE2B 8:\n',
  '[structure]\n0=filename-hash BLAKE2B 512:8\n',
  '[structure]\n0=filename-hash BLAKE2B 8 16\n',
]) {
  test(`${JSON.stringify(text)} is no layout we know`, (t) => {
    t.is(parseLayoutConf(text), undefined);
  });
}

test('folders are cut from the hash of the name, one behind the other (GLEP 75)', (t) => {
  t.is(foldersIn(flatLayout, name), '');
  t.is(foldersIn(hashedLayout, name), '80/');
  const nested = parseLayoutConf('[structure]\n0=filename-hash BLAKE2B 8:12\n');
  t.is(nested && foldersIn(nested, name), '80/0ba/');
  const other = parseLayoutConf('[structure]\n0=filename-hash SHA512 4\n');
  t.is(other && foldersIn(other, name).length, 2);
});
