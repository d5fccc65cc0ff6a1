import assert from 'node:assert/strict';
import test from 'ava';
import { isHostField, splitHost } from '../../daemon/http/fields.ts';
import { holds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const corpus = [
  'cache',
  'cache:4000',
  'Mirror.Example.ORG.',
  '192.168.1.5:4000',
  '[::1]',
  '[fd00::5]:4000',
  '[2001:db8:0:0:1:0:0:1]:80',
  '[::ffff:192.0.2.1]',
  '[v1.a:b]',
  'a%20b',
  'xn--bcher-kva.example',
];

const pieces = [
  ...words(
    'a Z 0 255 256 65535 65536 00080 . .. - _ ~ : :: [ ] [] @ user@ u:p@ / // http:// ? # , ;',
  ),
  ...words('% %2e %00 %zz %25eth0 %eth0 ffff 1.2.3.4 01.2.3.4 ! $ & \' ( ) * + = " < > ^ ` { | }'),
  ...['\\', ' ', '\t', '\0', '\r', '\n', '\x7f', '\xe4'],
];

/** RFC 3986 section 3.2.2 and RFC 9110 section 7.2, character by character. */
function modelOf(value: string): { host: string; port: number | undefined } | undefined {
  const isLiteral = value.startsWith('[');
  const end = isLiteral ? value.indexOf(']') : value.search(/:|$/);
  if (end < 0) return undefined;
  const host = isLiteral ? value.slice(1, end) : value.slice(0, end);
  const rest = value.slice(isLiteral ? end + 1 : end);
  if (!(isLiteral ? isIpv6(host) || isFuture(host) : isRegName(host))) return undefined;
  if (rest !== '' && !rest.startsWith(':')) return undefined;
  const port = rest.slice(1);
  if (!every(port, digits) || Number(port) > 65_535) return undefined;
  return { host, port: port === '' ? undefined : Number(port) };
}

const digits = '0123456789';
const hex = `${digits}abcdefABCDEF`;
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const unreservedOrSub = `${letters}${digits}-._~!$&'()*+,;=`;

function every(text: string, of: string): boolean {
  return [...text].every((character) => of.includes(character));
}

function isRegName(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '%') {
      const pair = text.slice(at + 1, at + 3);
      if (pair.length < 2 || !every(pair, hex)) return false;
      at += 2;
    } else if (!unreservedOrSub.includes(text.charAt(at))) return false;
  }
  return text !== '';
}

function isFuture(text: string): boolean {
  const [version = '', ...rest] = text.split('.');
  const address = rest.join('.');
  if (!/^[vV]./.test(version) || !every(version.slice(1), hex) || address === '') return false;
  return every(address, `${unreservedOrSub}:`);
}

/** Eight groups of 16 bits; `::` stands for one or more of them, an IPv4 address for the last two. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const all = groups.flat();
  const last = all.at(-1) ?? '';
  // At the very end of the address, and not in front of a `::`.
  const isMapped = last.includes('.') && !text.endsWith('::');
  if (isMapped && !isIpv4(last)) return false;
  const words = isMapped ? all.slice(0, -1) : all;
  if (!words.every((word) => /^.{1,4}$/.test(word) && every(word, hex))) return false;
  const size = words.length + (isMapped ? 2 : 0);
  return halves.length === 2 ? size < 8 : size === 8;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  const isByte = (part: string) => every(part, digits) && Number(part) < 256;
  return parts.length === 4 && parts.every((part) => isByte(part) && String(Number(part)) === part);
}

function makeHost(random: Random): string {
  if (random.oneIn(3)) return random.string(pieces, 6);
  if (random.oneIn(3)) {
    const group = () => (random.oneIn(6) ? '' : random.below(0x11111).toString(16));
    const groups = random.several(1, 9, group).join(':');
    return `[${random.oneIn(4) ? `${groups}:${random.pick(pieces)}` : groups}]${random.oneIn(2) ? ':80' : ''}`;
  }
  return mutated(random, { corpus, pieces });
}

test('a Host is what RFC 3986 calls a host, perhaps a port, and nothing else', (t) => {
  holds(t, {
    make: makeHost,
    check: (value) => {
      const expected = modelOf(value);
      assert.equal(isHostField(value), expected !== undefined);
      const split = splitHost(value);
      if (expected === undefined) {
        assert.equal(split, undefined);
        return 'refused';
      }
      const host = expected.host.toLowerCase().replace(/\.$/, '');
      const { port } = expected;
      const wanted = port === undefined ? { host } : { host, port };
      assert.deepEqual(split, host === '' ? undefined : wanted);
      return host.includes(':') ? 'address' : 'name';
    },
    kinds: { refused: 0.3, name: 0.1, address: 0.02 },
  });
});

test('no Host hides a user, a path or white space in its host', (t) => {
  holds(t, {
    make: makeHost,
    check: (value) => {
      const split = splitHost(value);
      if (split === undefined) return 'refused';
      assert.doesNotMatch(split.host, /[@/\\?#\s\0[\]]|[^!-~]/);
      assert.equal(split.host, split.host.toLowerCase());
      assert.ok(split.port === undefined || (split.port >= 0 && split.port <= 65_535));
      return 'host';
    },
    kinds: { refused: 0.3, host: 0.1 },
  });
});
