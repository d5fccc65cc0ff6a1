import test from 'ava';
import { createPace } from '../../daemon/room/pace.ts';

/** Work at 1,000 bytes a second, on a clock that only waiting and the test move. */
function working() {
  let time = 0;
  const waits: number[] = [];
  const pace = createPace(1000, {
    now: () => time,
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      time += milliseconds;
    },
  });
  const read = (bytes: number, milliseconds: number) => {
    time += milliseconds;
    pace(bytes);
  };
  return { read, waits };
}

test('what takes less time than it may is waited out, the time it took included', (t) => {
  const { read, waits } = working();
  read(100, 0);
  read(100, 30);
  read(200, 200);
  read(100, 10);
  t.deepEqual(waits, [100, 70, 90]);
});

test('what was slow is not made up for', (t) => {
  const { read, waits } = working();
  read(100, 5000);
  read(100, 0);
  read(100, 0);
  t.deepEqual(waits, [100, 100]);
});
