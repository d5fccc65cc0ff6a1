import { stat } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';

/** What a sync changes in a repository: by rsync or as a snapshot, and with git. */
const files: readonly string[] = [
  '.',
  'metadata/timestamp.chk',
  'metadata/timestamp.commit',
  '.git/logs/HEAD',
];

/**
 * A text that is another one after a sync of any of the repositories, and when a directory among
 * the paths has gained or lost one or can be read now.
 */
export async function readMarks(
  paths: readonly string[],
  repositories: readonly string[],
): Promise<string> {
  const places = [
    ...paths,
    ...repositories.flatMap((repository) => files.map((file) => `${repository}/${file}`)),
  ];
  return (await Promise.all(places.map(markOf))).join(' ');
}

// The time of the inode's last change is that of its mode, too.
async function markOf(path: string): Promise<string> {
  return stat(path).then(
    ({ ino, ctimeMs, size }) => `${ino}:${ctimeMs}:${size}`,
    (error: unknown) => errnoOf(error) ?? 'error',
  );
}
