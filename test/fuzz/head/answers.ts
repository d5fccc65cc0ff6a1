import assert from 'node:assert/strict';
import type { Part } from './reference.ts';

/** One final answer, as it stood on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly body: string;
  /** How many 1xx answers came before it. */
  readonly interim: number;
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\t -~]*$/;
const fieldLine = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+): ([\t -~\x80-\xff]*)$/;

/**
 * Takes what came back apart, as strictly as what was sent.
 *
 * @throws AssertionError for what is no sequence of whole answers.
 */
export function answersIn(received: string, parts: readonly Part[]): readonly WireAnswer[] {
  const answers: WireAnswer[] = [];
  let interim = 0;
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf('\r\n\r\n', at);
    assert.ok(end >= 0, `a head without its end: ${received.slice(at)}`);
    const { status, length } = readHead(received.slice(at, end));
    const start = end + 4;
    if (status < 200) {
      interim += 1;
      at = start;
      continue;
    }
    const isBodiless = status === 304 || isHead(parts[answers.length], start === received.length);
    const size = isBodiless ? 0 : length;
    assert.ok(size !== undefined && start + size <= received.length, 'a body without its end');
    answers.push({ status, interim, body: received.slice(start, start + size) });
    interim = 0;
    at = start + size;
  }
  assert.equal(interim, 0, 'an interim answer that none follows');
  return answers;
}

// Of a request that is none nobody can be sure that it was a HEAD.
function isHead(part: Part | undefined, isLast: boolean): boolean {
  return part?.kind === 'request' ? part.method === 'HEAD' : isLast;
}

function readHead(head: string): { status: number; length: number | undefined } {
  const [line = '', ...lines] = head.split('\r\n');
  const status = Number(statusLine.exec(line)?.[1]);
  assert.ok(status >= 100, `no status line: ${line}`);
  const fields = lines.map((text) => {
    const [, name, value = ''] = fieldLine.exec(text) ?? [];
    assert.ok(name !== undefined, `no field line: ${text}`);
    return [name.toLowerCase(), value] as const;
  });
  const lengths = fields.filter(([name]) => name === 'content-length').map(([, value]) => value);
  assert.ok(lengths.length <= 1 && !fields.some(([name]) => name === 'transfer-encoding'));
  const [length] = lengths;
  assert.ok(length === undefined || /^\d+$/.test(length));
  return { status, length: length === undefined ? undefined : Number(length) };
}
