import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Credentials that nobody could write by chance, in every form in which they might get out. */
export function secretOf(name: string) {
  const [user, password] = [`agent-${name}`, `pl/nt+${name}`];
  const encoded = `${user}:${encodeURIComponent(password)}`;
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  return {
    basic: `Basic ${basic}`,
    /** The URL, with the credentials in it. */
    lend: (url: string) => url.replace(/\/+/, (slashes) => `${slashes}${encoded}@`),
    forms: [user, password, encodeURIComponent(password), basic],
  };
}

/** All files below a folder, by path, with their paths. */
export async function textsBelow(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((each) => each.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'latin1')));
  return Object.fromEntries(paths.map((path, at) => [path, `${path}\n${texts[at]}`]));
}

/** What other users may see of a process, and its environment. */
export async function processOf(pid: number): Promise<Record<string, string>> {
  const files = ['cmdline', 'comm', 'environ'].map((name) => `/proc/${pid}/${name}`);
  const texts = await Promise.all(files.map((path) => readFile(path, 'latin1')));
  return Object.fromEntries(files.map((path, at) => [path, texts[at] ?? '']));
}
