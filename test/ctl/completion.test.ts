import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { commandNames, commandOf, commonOptions, optionsOf } from '../../ctl/usage.ts';
import type { CommandName } from '../../daemon/control/protocol.ts';
import { root } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';

const folder = join(root, 'contrib/completion');
const files = {
  bash: join(folder, 'package-cache-ctl.bash'),
  zsh: join(folder, '_package-cache-ctl'),
  fish: join(folder, 'package-cache-ctl.fish'),
} as const;
const common = commonOptions.map(({ option }) => option);

for (const [shell, file] of Object.entries(files)) {
  test(`${shell} can read its completion`, (t) => {
    if (!needs(t, shell)) return;
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    t.is(stderr, '');
    t.is(status, 0);
  });
}

/** What bash offers for the last word. */
function bash(...words: readonly string[]): readonly string[] {
  const script = `
    source "$1"; shift
    COMP_WORDS=(package-cache-ctl "$@"); COMP_CWORD=$#
    _package_cache_ctl
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', files.bash, ...words], {
    encoding: 'utf8',
  });
  return stderr === '' ? stdout.split('\n').filter((word) => word !== '') : [stderr];
}

/** What fish offers for the last word. */
function fish(line: string): readonly string[] {
  const script = `source ${files.fish}; complete -C '${line}'`;
  const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/nonexistent' },
  });
  return stdout.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0] ?? '']));
}

function optionNames(command: CommandName): readonly string[] {
  return optionsOf(command).map(({ option }) => option);
}

function choicesOf(command: CommandName): readonly string[] {
  const operand = commandOf(command).arguments.find(({ option }) => option === undefined);
  return operand?.choices ?? [];
}

test('bash offers every command and common option first', (t) => {
  t.deepEqual(bash('').toSorted(), [...commandNames, ...common].toSorted());
  t.deepEqual(bash('cu'), ['cull']);
  t.deepEqual(bash('--json', 'lo'), ['log-level']);
  t.deepEqual(bash('--socket', '/x', 'st'), ['status', 'stats']);
});

for (const command of commandNames) {
  test(`bash offers what goes with ${command}, and nothing else`, (t) => {
    const expected = [...optionNames(command), ...choicesOf(command), ...common];
    t.deepEqual(bash(command, '').toSorted(), expected.toSorted());
    for (const { option, choices = [] } of optionsOf(command)) {
      if (choices.length > 0) t.deepEqual(bash(command, option, ''), choices);
    }
  });

  test(`fish offers what goes with ${command}`, (t) => {
    if (!needs(t, 'fish')) return;
    const expected = [...optionNames(command), ...common];
    t.deepEqual(fish(`package-cache-ctl ${command} --`).toSorted(), expected.toSorted());
    t.deepEqual(fish(`package-cache-ctl ${command} `).toSorted(), choicesOf(command).toSorted());
  });

  test(`zsh knows what goes with ${command}`, (t) => {
    const text = readFileSync(files.zsh, 'utf8');
    t.regex(text, new RegExp(`^ {2}'${command}:${commandOf(command).summary}'$`, 'm'));
    const part = new RegExp(`^ {6}${command}\\)(.*?);;`, 'ms').exec(text)?.[1] ?? '';
    const found = [...part.matchAll(/'(--[a-z-]+)\[/g)].map(([, option]) => option);
    t.deepEqual(found, [...optionNames(command)]);
    for (const choice of choicesOf(command)) t.true(part.includes(choice));
  });
}

test('fish and zsh know every command and common option, and no others', (t) => {
  const text = readFileSync(files.zsh, 'utf8');
  const block = /^common=\((.*?)^\)/ms.exec(text)?.[1] ?? '';
  t.deepEqual(
    [...block.matchAll(/'(--[a-z-]+)\[/g)].map(([, option]) => option),
    [...common],
  );
  const listed = /^commands=\((.*?)^\)/ms.exec(text)?.[1] ?? '';
  t.deepEqual(
    [...listed.matchAll(/^ {2}'([a-z-]+):/gm)].map(([, name]) => name),
    [...commandNames],
  );
  if (!needs(t, 'fish')) return;
  t.deepEqual(fish('package-cache-ctl ').toSorted(), [...commandNames].toSorted());
  t.deepEqual(fish('package-cache-ctl --').toSorted(), [...common].toSorted());
});
