import test, { type ExecutionContext } from 'ava';
import type { Answer } from '../helpers/client.ts';
import type { Field } from '../helpers/fields.ts';
import { share } from '../helpers/share.ts';
import { partsOf } from './parts.ts';
import { type Expected, ifRangeCases, rangeCases } from './range-cases.ts';
import { etag, file, openStates, states } from './states.ts';

const scene = share(test, openStates);

function bytesOf(range: string): Buffer {
  const [first, last] = range.split('-').map(Number);
  return file.subarray(first, (last ?? 0) + 1);
}

function checkPart(t: ExecutionContext, answer: Answer, range: string): void {
  t.is(answer.status, 206);
  t.is(answer.header('content-range'), `bytes ${range}/1000`);
  t.is(answer.header('content-type'), 'application/x-xz');
  t.true(answer.body.equals(bytesOf(range)));
}

function checkParts(t: ExecutionContext, answer: Answer, ranges: readonly string[]): void {
  t.is(answer.status, 206);
  t.is(answer.header('content-range'), undefined);
  const parts = partsOf(answer);
  t.deepEqual(
    parts.map(({ range }) => range),
    ranges.map((range) => `bytes ${range}/1000`),
  );
  for (const [at, { bytes, type }] of parts.entries()) {
    t.true(bytes.equals(bytesOf(ranges[at] ?? '')));
    t.is(type, 'application/x-xz');
  }
}

function check(t: ExecutionContext, answer: Answer, expected: Expected): void {
  t.like(answer, { ended: 'complete', surplus: 0 });
  t.is(answer.header('content-length'), String(answer.body.length));
  t.is(answer.header('etag'), etag);
  t.is(answer.header('last-modified'), 'Sun, 05 May 2024 06:07:08 GMT');
  t.is(answer.header('accept-ranges'), 'bytes');
  if (expected === 'whole') {
    t.is(answer.status, 200);
    t.is(answer.header('content-range'), undefined);
    t.true(answer.body.equals(file));
  } else if (expected === 'unsatisfiable') {
    t.is(answer.status, 416);
    t.is(answer.header('content-range'), 'bytes */1000');
    t.is(answer.body.length, 0);
  } else if (typeof expected === 'string') checkPart(t, answer, expected);
  else checkParts(t, answer, expected);
}

function said(expected: Expected): string {
  if (expected === 'whole') return 'the whole 200';
  if (expected === 'unsatisfiable') return '416';
  return typeof expected === 'string' ? 'that part' : `${expected.length} parts`;
}

for (const state of states) {
  for (const [promise, fields, expected] of rangeCases) {
    test(`a ${state} file: ${said(expected)} for ${promise}`, async (t) => {
      check(t, await scene().ask(t, state, { fields }), expected);
    });
  }

  for (const [promise, fields, expected] of ifRangeCases) {
    test(`a ${state} file: ${said(expected)} where If-Range is ${promise}`, async (t) => {
      check(t, await scene().ask(t, state, { fields }), expected);
    });
  }

  for (const range of ['bytes=0-99', 'bytes=1000-', 'bytes=0-1,4-5']) {
    test(`a ${state} file: HEAD ignores Range, here ${range} (RFC 9110 14.2)`, async (t) => {
      const fields: Field[] = [['Range', range]];
      const answer = await scene().ask(t, state, { method: 'HEAD', fields });
      t.like(answer, { status: 200, surplus: 0 });
      t.is(answer.header('content-length'), '1000');
      t.is(answer.header('content-range'), undefined);
      t.is(answer.header('accept-ranges'), 'bytes');
    });
  }
}
