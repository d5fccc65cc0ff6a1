import test from 'ava';
import { isScarcity, patiently } from '../../daemon/cache/scarcity.ts';
import { CacheError } from '../../daemon/errors.ts';

const errno = (code: string) => Object.assign(new Error(code), { code });

test('too many open files are known, behind the errors that wrap them too', (t) => {
  const failure = { verb: 'read', thing: 'a', reason: 'too many open files' };
  for (const code of ['EMFILE', 'ENFILE']) {
    t.true(isScarcity(errno(code)));
    t.true(isScarcity(new CacheError('busy', { ...failure, cause: errno(code) })));
  }
  t.false(isScarcity(errno('ENOSPC')));
  t.false(isScarcity(new CacheError('storage', failure)));
  t.false(isScarcity('EMFILE'));
});

test('whoever opens something waits until others have closed theirs', async (t) => {
  let tries = 0;
  const opened = await patiently(async () => {
    tries += 1;
    if (tries < 3) throw errno('EMFILE');
    return 'it';
  });
  t.is(opened, 'it');
  t.is(tries, 3);
});

test('there is an end to it, and for any other error at once', async (t) => {
  let tries = 0;
  const open = (code: string) => async () => {
    tries += 1;
    throw errno(code);
  };
  await t.throwsAsync(patiently(open('ENOENT')), { code: 'ENOENT' });
  t.is(tries, 1);
  await t.throwsAsync(patiently(open('ENFILE')), { code: 'ENFILE' });
  t.true(tries > 5);
});
