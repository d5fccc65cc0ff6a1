import test from 'ava';
import { plain } from '../../ctl/paint.ts';
import { complaintsOf, headingOf, isFailure, wordReply, wordRow } from '../../ctl/report.ts';
import type { VerifyReply } from '../../daemon/control/content-reports.ts';
import type { VerifyRow } from '../../daemon/control/messages.ts';
import { someNow } from './here.ts';
import { stats } from './replies.ts';

const wording = { paint: plain, now: someNow };
const G = 1024 ** 3;

const right: VerifyReply = {
  verified: 12_200,
  bytes: 127 * G,
  wrong: 0,
  repaired: 0,
  unknown: 0,
  failed: 0,
  problems: [],
};

const wrong: VerifyRow = {
  path: 'distfiles/ab/foo-1.tar.xz',
  size: 13_000_000,
  reason: 'expected BLAKE2B 3f2a…, found 91bc…',
  outcome: 'wrong',
  failure: null,
};

function verified(reply: Partial<VerifyReply>): string {
  return wordReply({ command: 'verify', reply: { ...right, ...reply } }, wording);
}

function line(row: Partial<VerifyRow>): string {
  return wordRow({ command: 'verify', row: { ...wrong, ...row } }, wording);
}

test('verify tells what is wrong file by file, and why', (t) => {
  t.is(headingOf('verify'), '');
  const what = 'distfiles/ab/foo-1.tar.xz: expected BLAKE2B 3f2a…, found 91bc…';
  t.is(line({}), `wrong      12.4M  ${what}\n`);
  t.is(line({ outcome: 'repaired' }), `repaired   12.4M  ${what}\n`);
  t.is(
    line({ outcome: 'failed', failure: 'no source has it' }),
    `failed     12.4M  ${what}; it is in quarantine, and was not fetched anew: no source has it\n`,
  );
  t.is(
    line({ failure: 'Cannot quarantine "/x": EROFS' }),
    `wrong      12.4M  ${what}; Cannot quarantine "/x": EROFS\n`,
  );
});

test('verify says in the end what it came to', (t) => {
  t.is(verified({}), 'Verified 12,200 files, 127G; nothing was wrong.\n');
  t.is(
    verified({ wrong: 2, repaired: 1, unknown: 143 }),
    'Verified 12,200 files, 127G; 2 were wrong, 1 repaired; no Manifest names 143 others.\n',
  );
  t.is(verified({ wrong: 1 }), 'Verified 12,200 files, 127G; 1 was wrong.\n');
});

test('verify fails when something is not right in the end, and says so to cron as well', (t) => {
  const told = (reply: Partial<VerifyReply>) => {
    const whole = { ...right, ...reply };
    return [isFailure('verify', whole), ...complaintsOf('verify', whole)];
  };
  t.deepEqual(told({}), [false]);
  t.deepEqual(told({ wrong: 2, repaired: 2 }), [false]);
  t.deepEqual(told({ wrong: 2, repaired: 1 }), [true, '1 file was not what the Manifests say']);
  t.deepEqual(told({ failed: 2, problems: [{ path: '/a', reason: 'EACCES' }] }), [
    true,
    'Cannot read "/a": EACCES',
    'Cannot read "1 more": see the log',
  ]);
});

test('import tells of each file and in the end like fetch', (t) => {
  const row = (rest: object) =>
    wordRow(
      {
        command: 'import',
        row: { path: 'foo-1.tar.xz', outcome: 'stored', size: 13_000_000, reason: null, ...rest },
      },
      wording,
    );
  t.is(headingOf('import'), '');
  t.is(row({}), 'stored    12.4M  foo-1.tar.xz\n');
  t.is(
    row({ outcome: 'failed', size: null, reason: 'no Manifest names it' }),
    'failed        -  foo-1.tar.xz: no Manifest names it\n',
  );
  const reply = { stored: 1, present: 2, failed: 3, bytes: 13_000_000 };
  t.is(
    wordReply({ command: 'import', reply }, wording),
    'Imported 1 file, 12.4M; 2 were there already; 3 failed.\n',
  );
  t.true(isFailure('import', reply));
  t.deepEqual(complaintsOf('import', reply), []);
});

test('stats leaves out a verification that there was not', (t) => {
  const reply = { ...stats, verification: null };
  t.notRegex(wordReply({ command: 'stats', reply }, wording), /Verified/);
});
