import test from 'ava';
import { distfileIn, distfilePath } from '../../daemon/gentoo/distfile.ts';

test('a distfile is kept where the mirrors keep it', (t) => {
  // As seen on distfiles.gentoo.org.
  t.is(distfilePath('which-2.23.tar.gz'), 'distfiles/80/which-2.23.tar.gz');
});

for (const path of ['distfiles/which-2.23.tar.gz', 'distfiles/80/which-2.23.tar.gz']) {
  test(`${path} means the distfile`, (t) => {
    t.is(distfileIn(path), 'which-2.23.tar.gz');
  });
}

for (const path of [
  'distfiles',
  'distfiles/',
  'distfiles/8/which-2.23.tar.gz',
  'distfiles/81/which-2.23.tar.gz',
  'distfiles/8z/which-2.23.tar.gz',
  'distfiles/perl/which-2.23.tar.gz',
  'snapshots/which-2.23.tar.gz',
  'x/distfiles/which-2.23.tar.gz',
  'which-2.23.tar.gz',
]) {
  test(`${path} means none`, (t) => {
    t.is(distfileIn(path), undefined);
  });
}

test('a name keeps its characters, %2F and others', (t) => {
  const name = 'github.com%2F!burnt!sushi%2Ftoml%2F@v%2Fv0.3.1.mod';
  // Portage asked for it below 8c.
  t.is(distfilePath(name), `distfiles/8c/${name}`);
  t.is(distfileIn(`distfiles/8c/${name}`), name);
});
