import { type Asking, ask, type Question, type Reply } from './ask.ts';
import type { Said } from './judge.ts';

/**
 * Asks for a whole file, whose length the Manifests may have a say in. Where two sources offer one
 * length that no Manifest has, these two are asked once more, and theirs will do: it is for the
 * bytes to show whether the sources agree, and the Manifests lag behind.
 */
export async function askForWhole(asking: Asking, question: Question): Promise<Reply> {
  const reply = await ask(asking, question);
  const agreed = 'said' in reply ? agreementOf(reply.said) : undefined;
  if (agreed === undefined) return reply;
  const { sources, length } = agreed;
  return await ask(asking, {
    ...question,
    sources,
    expected: { ...question.expected, sizes: [length] },
  });
}

/** The length that no Manifest has and two sources have to offer. */
function agreementOf(said: readonly Said[]) {
  for (const { length } of said) {
    const sources = said.filter((one) => one.length === length).map(({ source }) => source);
    if (length !== undefined && sources.length > 1) return { length, sources };
  }
  return undefined;
}
