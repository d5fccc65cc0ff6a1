import test from 'ava';
import { mergeReplies, splitParams } from '../../ctl/batches.ts';
import { createProgress, progressLine } from '../../ctl/progress.ts';
import { MAX_MESSAGE_BYTES } from '../../daemon/control/wire.ts';
import { launch, root, run } from '../helpers/process.ts';
import { type Asked, startFake } from './fake-daemon.ts';
import { begin, here, someNow } from './here.ts';
import { stats, status } from './replies.ts';

const program = `${root}/ctl/main.ts`;
const rows = [
  { path: 'a', size: 1, lastUse: someNow },
  { path: 'b"\n', size: 2, lastUse: someNow },
];
const list = { entries: 2, bytes: 3, failed: 0, problems: [] };
const culled = { ...list, kept: 0, dryRun: true };

/** Two rows, one message each, and an answer. */
function listing(reply: object) {
  return ({ notify, result }: Asked) => {
    for (const row of rows) notify('rows', { rows: [row] });
    result(reply);
  };
}

test('--json is the reply as it is', async (t) => {
  const { path } = await startFake(t, { answer: ({ result }) => result(stats) });
  const { code, out, err } = await here(['stats', '--json'], { socket: path });
  t.deepEqual(JSON.parse(out), stats);
  t.is(err, '');
  t.is(code, 0);
});

test('--json with rows is one document, a row on each line', async (t) => {
  const { path } = await startFake(t, { answer: listing(list) });
  const { out } = await here(['ls', '--json'], { socket: path });
  t.deepEqual(JSON.parse(out), { rows, ...list });
  t.is(out.split('\n').length, 5);
  const none = await startFake(t, { answer: ({ result }) => result(list) });
  const empty = await here(['ls', '--json'], { socket: none.path });
  t.deepEqual(JSON.parse(empty.out), { rows: [], ...list });
});

test('--json that breaks off is no JSON, so that a cut list cannot look whole', async (t) => {
  const { path } = await startFake(t, {
    answer: ({ notify, error }) => {
      notify('rows', { rows });
      error(-32000, 'Cannot list "/": EIO');
    },
  });
  const { code, out } = await here(['ls', '--json'], { socket: path });
  t.is(code, 1);
  t.throws(() => JSON.parse(out));
});

test('cull lists its files for scripts, and for people when they ask', async (t) => {
  const { path, asked } = await startFake(t, { answer: listing(culled) });
  const { out } = await here(['cull', '--older-than', '1d', '--json'], { socket: path });
  t.deepEqual(asked[0]?.params, { olderThan: '1d', list: true });
  t.deepEqual(JSON.parse(out), { rows, ...culled });
  const dry = await here(['cull', '--older-than', '1d', '--dry-run'], { socket: path });
  t.deepEqual(asked[1]?.params, { olderThan: '1d', dryRun: true });
  t.is(
    dry.out,
    '  SIZE   LAST USE  PATH\n' +
      '    1B        now  a\n' +
      '    2B        now  b"\\u000a\n' +
      'Would remove 2 files, 3B.\n',
  );
});

test('--quiet says nothing when all is well, and what is wrong when it is not', async (t) => {
  const problems = [{ path: 'a', reason: 'EPERM' }];
  const answer = ({ method, result }: Asked) =>
    result(method === 'status' ? status : { ...culled, failed: 1, problems });
  const { path } = await startFake(t, { answer });
  const well = await here(['status', '--quiet'], { socket: path });
  t.deepEqual(well, { code: 0, out: '', err: '' });
  const options = { socket: path, terminal: true };
  t.deepEqual(await here(['cull', '--older-than', '90d', '--quiet'], options), {
    code: 1,
    out: '',
    err: 'package-cache-ctl: Cannot remove "a": EPERM\n',
  });
});

test('purge that matches nothing fails, and names what matched nothing', async (t) => {
  const reply = { ...list, entries: 0, bytes: 0, partials: 0, unmatched: ['x/**'] };
  const { path } = await startFake(t, { answer: ({ result }) => result(reply) });
  t.deepEqual(await here(['purge', 'x/**'], { socket: path }), {
    code: 1,
    out: 'Nothing was removed.\n',
    err: 'package-cache-ctl: Cannot purge "x/**": nothing stored matches\n',
  });
});

test('fetch takes its paths from standard input, blank lines left out', async (t) => {
  const reply = { stored: 2, present: 0, failed: 0, bytes: 3 };
  const { path, asked } = await startFake(t, { answer: ({ result }) => result(reply) });
  const fetched = await here(['fetch', 'x', '-'], { socket: path, stdin: 'a\n\nb c\r\nd' });
  t.deepEqual(asked[0]?.params, { paths: ['x', 'a', 'b c', 'd'] });
  t.is(fetched.out, 'Fetched 2 files, 3B.\n');
  const none = await here(['fetch', '-'], { socket: path, stdin: '' });
  t.is(none.out, 'Fetched 0 files, 0B.\n');
  t.is(none.code, 0);
  t.is(asked.length, 1);
});

test('a list longer than a message goes out in several, and is told as one', async (t) => {
  const reply = { stored: 1, present: 2, failed: 1, bytes: 3 };
  const answer = ({ notify, result }: Asked) => {
    notify('rows', { rows: [{ path: 'é', outcome: 'failed', size: null, reason: 'no' }] });
    result(reply);
  };
  const { path, asked } = await startFake(t, { answer });
  const paths = Array.from({ length: 2000 }, (_, index) => `${'é'.repeat(40)}${index}`);
  const options = { socket: path, stdin: paths.join('\n') };
  const { out, code } = await here(['fetch', '-', '--json'], options);
  t.deepEqual(
    asked.flatMap(({ params }) => params.paths),
    paths,
  );
  const times = asked.length;
  t.true(times > 1);
  for (const { params } of asked) {
    t.true(Buffer.byteLength(JSON.stringify({ params })) < MAX_MESSAGE_BYTES);
  }
  t.like(JSON.parse(out), { stored: times, present: 2 * times, failed: times, bytes: 3 * times });
  t.is(JSON.parse(out).rows.length, times);
  t.is(code, 1);
});

test('lists are split without loss, and replies merged', (t) => {
  t.deepEqual(splitParams({ a: 'x' }), [{ a: 'x' }]);
  t.deepEqual(splitParams({ a: [], b: 1 }), []);
  const long = 'x'.repeat(MAX_MESSAGE_BYTES);
  t.deepEqual(splitParams({ a: [long, 'y'] }), [{ a: [long] }, { a: ['y'] }]);
  t.deepEqual(mergeReplies({ n: 1, l: ['a'], f: false }, { n: 2, l: ['b'], f: true }), {
    n: 3,
    l: ['a', 'b'],
    f: true,
  });
});

test('watch prints one line an event, tells what it missed, and ends with Ctrl-C', async (t) => {
  const { path, asked } = await startFake(t, {});
  const stop = new AbortController();
  const watching = begin(['watch', '--json'], { socket: path, stop: stop.signal });
  const event = { at: someNow, kind: 'stored', thing: 'a', text: 'stored a' };
  while (asked.length === 0) await new Promise(setImmediate);
  asked[0]?.notify('events', { events: [event], dropped: 0 });
  asked[0]?.notify('events', { events: [{ ...event, thing: 'last' }], dropped: 3 });
  await watching.shows('"last"');
  stop.abort(130);
  const { code, out, err } = await watching.ended;
  t.is(code, 0);
  t.deepEqual(JSON.parse(out.split('\n')[0] ?? ''), event);
  t.is(err, 'package-cache-ctl: 3 events were left out: read faster\n');
  await asked[0]?.gone;
});

test('a reader that has seen enough ends the command', async (t) => {
  const many = Array.from({ length: 1000 }, () => rows[0]);
  const { path, asked } = await startFake(t, {
    answer: ({ notify, socket }) => {
      const more = setInterval(() => notify('rows', { rows: many }), 5);
      socket.on('close', () => clearInterval(more));
    },
  });
  const script = `"$0" "$1" --socket "$2" ls | head -n 2; exit "\${PIPESTATUS[0]}"`;
  const args = ['-c', script, process.execPath, program, path];
  const { code, stdout, stderr } = await run('bash', { args });
  t.is(stdout.split('\n').length, 3);
  t.is(stderr, '');
  t.is(code, 141);
  await asked[0]?.gone;
});

test('the program itself ends with the code, and what it said is all there', async (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => ({ path: `p${index}`, ...rows[1] }));
  const { path } = await startFake(t, {
    answer: ({ notify, result }) => {
      for (let index = 0; index < 50; index += 1) notify('rows', { rows: many });
      result(list);
    },
  });
  const { code, stdout } = await run(process.execPath, {
    args: [program, 'ls', '--json'],
    env: { PACKAGE_CACHE_SOCKET: path },
  });
  t.is(code, 0);
  t.is(JSON.parse(stdout).rows.length, 50_000);
  const usage = await run(process.execPath, { args: [program, 'sl'] });
  t.is(usage.code, 2);
  t.is(usage.stderr, 'package-cache-ctl: Cannot use "sl": unknown command, did you mean ls?\n');
});

test('an answer that could not be written is a failure', async (t) => {
  const { path } = await startFake(t, { answer: ({ result }) => result(stats) });
  const args = ['-c', '"$0" "$1" --socket "$2" stats >/dev/full', process.execPath, program, path];
  const { code, stderr } = await run('bash', { args });
  t.is(code, 1);
  t.regex(stderr, /^package-cache-ctl: Cannot write "standard output": .*ENOSPC.*\n$/);
});

test('a list that cannot be read to its end is a failure', async (t) => {
  const { path, asked } = await startFake(t, {});
  const fetching = begin(['fetch', '-'], { socket: path });
  fetching.stdin.write('a\n');
  fetching.stdin.destroy(new Error('EIO'));
  const { code, err } = await fetching.ended;
  t.is(code, 1);
  t.is(err, 'package-cache-ctl: Cannot read "standard input": EIO\n');
  t.is(asked.length, 0);
});

test('a signal ends the command, and the exit code names it', async (t) => {
  const { path, asked } = await startFake(t, {});
  const ctl = launch(process.execPath, {
    args: [program, '--socket', path, 'ls'],
    onLine: () => {},
  });
  while (asked.length === 0) await new Promise(setImmediate);
  ctl.signal('SIGTERM');
  t.deepEqual(await ctl.exitWithin(5000), { code: 143, signal: null });
});

test('progress is drawn on a terminal, and only there', async (t) => {
  const answer = ({ notify, result }: Asked) => {
    notify('progress', { entries: 1, bytes: 2, total: 4 });
    result({ ...culled, dryRun: false });
  };
  const { path } = await startFake(t, { answer });
  const args = ['cull', '--older-than', '90d'];
  const drawn = await here(args, { socket: path, terminal: true });
  t.regex(drawn.err, /^\r▕██████ +▏ +25 % {2}1 file, 2B\u001b\[K\r\u001b\[K$/u);
  t.is(drawn.out, 'Removed 2 files, 3B.\n');
  t.is((await here(args, { socket: path })).err, '');
});

test('a progress line tells what is left, when the total is known', (t) => {
  const step = { done: 45, total: 100, text: '45 files' };
  t.is(progressLine(step, 45_000), '▕██████████▊             ▏  45 %  45 files  55s left');
  t.is(progressLine(step, 1000), '▕██████████▊             ▏  45 %  45 files');
  t.is(progressLine({ done: 45, text: '45 files' }, 1), '45 files');
});

test('a progress line is drawn ten times a second at most, and never wider than its place', (t) => {
  const written: string[] = [];
  let time = 0;
  const place = { isTTY: true, columns: 10, write: (text: string) => written.push(text) };
  const progress = createProgress(place, () => time);
  for (; time < 250; time += 10) progress.show({ done: 1, text: 'a very long text' });
  t.deepEqual(written, Array(3).fill('\ra very l…\u001b[K'));
  progress.clear();
  progress.clear();
  t.is(written.at(-1), '\r\u001b[K');
  t.is(written.length, 4);
});
