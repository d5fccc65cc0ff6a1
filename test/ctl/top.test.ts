import test from 'ava';
import { plain } from '../../ctl/paint.ts';
import { topLines } from '../../ctl/top-lines.ts';
import { startFake } from './fake-daemon.ts';
import { begin, here, someNow } from './here.ts';
import { frame } from './replies.ts';

const canvas = { paint: plain, columns: 100, rows: 14, version: '9.8.7' };
const frames = [frame(someNow, 0), frame(someNow + 5000, 2)];

test('top shows what flows, what is stored, and the downloads', (t) => {
  const lines = topLines(frames, canvas);
  t.regex(lines[0] ?? '', /^package-cache 9\.8\.7, up 3d +\d\d:\d\d:\d\d$/);
  t.deepEqual(lines.slice(1), [
    '',
    'Requests     10/s   Served       0B/s   Fetched      0B/s',
    'Hits now      0 %   of all     93.4 %   of bytes   93.7 %',
    '12,345 files, 128G of 200G, 412G free; 14 clients, 2 downloads',
    '',
    '              DONE  BYTES    OF     RATE  LEFT  CLIENTS  SOURCE      PATH',
    '█████▍······  45 %  62.0M  138M  11.5M/s    7s        3  ftp.fau.de  …stfiles/ab/linux-6.18.tar.xz.0',
    '█████▍······  45 %  62.0M  138M  11.5M/s    7s        3  ftp.fau.de  …stfiles/ab/linux-6.18.tar.xz.1',
    '',
    '',
    '',
    '',
    'q leaves',
  ]);
});

test('top fits every terminal', (t) => {
  const many = { ...frame(someNow, 50), degraded: ['the disk is full, and has been for long'] };
  for (const columns of [1, 20, 80, 95, 96, 200]) {
    for (const rows of [1, 5, 8, 10, 24, 80]) {
      const lines = topLines([many], { ...canvas, columns, rows });
      t.true(lines.every((line) => [...line].length <= columns));
      // A terminal too low for the head shows as much of it as fits: the screen cuts.
      if (rows >= 10) t.is(lines.length, rows);
    }
  }
  const low = topLines([many], { ...canvas, rows: 12 });
  t.deepEqual(low.slice(-2), ['… and 48 more', 'q leaves']);
  t.deepEqual(topLines([], canvas), []);
});

test('top takes the terminal over, draws again when it is resized, and gives it back', async (t) => {
  const { path } = await startFake(t, { answer: ({ result }) => result(frames[1]) });
  const running = begin(['top'], { socket: path, terminal: true, env: { NO_COLOR: '1' } });
  await running.shows('q leaves');
  running.resize(40, 10);
  await running.shows('package-cache 9.8.7, up 3d      ');
  running.stdin.write('x');
  running.stdin.write('q');
  const { code, out, err } = await running.ended;
  t.is(code, 0);
  t.is(err, '');
  t.deepEqual(running.raw, [true, false]);
  t.true(out.startsWith('\u001b[?1049h\u001b[?25l'));
  t.true(out.endsWith('\u001b[?25h\u001b[?1049l'));
  // Lines are written over, never wiped first: that is what would flicker.
  t.false(out.includes('\u001b[2J'));
});

test('top gives the terminal back when the daemon goes away, and says so after that', async (t) => {
  const { path } = await startFake(t, { answer: ({ socket }) => socket.terminate() });
  const { code, out, err } = await begin(['top'], { socket: path, terminal: true }).ended;
  t.is(code, 1);
  t.true(out.endsWith('\u001b[?1049l'));
  t.regex(err, /the daemon closed the connection\n$/);
});

test('top gives the terminal back when a signal ends it', async (t) => {
  const { path } = await startFake(t, { answer: ({ result }) => result(frames[1]) });
  const stop = new AbortController();
  const running = begin(['top'], { socket: path, terminal: true, stop: stop.signal });
  await running.shows('q leaves');
  stop.abort(143);
  const { code, out } = await running.ended;
  t.is(code, 143);
  t.true(out.endsWith('\u001b[?1049l'));
});

test('top without a terminal wants --json, which prints one frame a line', async (t) => {
  const { path } = await startFake(t, { answer: ({ result }) => result(frames[1]) });
  const { code, err } = await here(['top'], { socket: path });
  t.is(code, 2);
  t.is(err, 'package-cache-ctl: Cannot use "top": it needs a terminal; --json prints its frames\n');
  const stop = new AbortController();
  const running = begin(['top', '--json'], { socket: path, stop: stop.signal });
  await running.shows('\n');
  stop.abort(130);
  t.is((await running.ended).code, 0);
  t.deepEqual(JSON.parse(running.out().split('\n')[0] ?? ''), frames[1]);
});
