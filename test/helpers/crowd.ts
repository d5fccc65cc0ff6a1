import { connect, type Socket } from 'node:net';

/** Many clients that come and go. */
export interface Crowd {
  readonly port: number;
  /** How many there are in all, and at a time. */
  readonly clients: number;
  readonly together: number;
  /** What they ask for, and what they must get. */
  readonly bodies: ReadonlyMap<string, Buffer>;
  /** What those ask for who leave: too large for what the kernel keeps of a connection. */
  readonly baits: ReadonlyMap<string, Buffer>;
  /** A number from 0 up to 1; the same sequence asks for the same. */
  readonly random: () => number;
}

/** What became of them. */
export interface CrowdResult {
  /** Got a whole body, every byte of which was compared. */
  whole: number;
  /** Left in the middle, with every byte so far compared. */
  left: number;
  /** What anybody got that was wrong. */
  readonly wrong: string[];
}

/** Lets them all come: some read to the end, the others break off at any byte. */
export async function runCrowd(crowd: Crowd): Promise<CrowdResult> {
  const result: CrowdResult = { whole: 0, left: 0, wrong: [] };
  let coming = crowd.clients;
  const lane = async () => {
    while (coming > 0) {
      coming -= 1;
      await visit(crowd, result);
    }
  };
  await Promise.all(Array.from({ length: crowd.together }, lane));
  return result;
}

async function visit(crowd: Crowd, result: CrowdResult): Promise<void> {
  const { port, bodies, baits, random } = crowd;
  const leaves = random() < 0.6;
  const choice = [...(leaves ? baits : bodies)];
  const [name, body] = choice[Math.floor(random() * choice.length)] as [string, Buffer];
  const from = random() < 0.5 ? 0 : Math.floor((random() * body.length) / 2);
  const until = leaves ? from + Math.floor(random() * 400_000) : body.length;
  const socket = connect({ port, host: '127.0.0.1' });
  const range = from === 0 ? '' : `Range: bytes=${from}-\r\n`;
  socket.write(`GET ${name} HTTP/1.1\r\nHost: cache\r\nConnection: close\r\n${range}\r\n`);
  const { reached, wrong } = await compare(socket, { body, from, until });
  if (wrong !== undefined) result.wrong.push(`${name} from ${from}: ${wrong}`);
  else if (leaves) result.left += 1;
  else if (reached === body.length) result.whole += 1;
  else result.wrong.push(`${name} from ${from}: ended at ${reached} of ${body.length}`);
  // One half says goodbye, the other is gone without a word.
  if (random() < 0.5) socket.destroy();
  else socket.resetAndDestroy();
}

interface Comparison {
  readonly body: Buffer;
  readonly from: number;
  readonly until: number;
}

async function compare(socket: Socket, { body, from, until }: Comparison) {
  let head = Buffer.alloc(0);
  let inBody = false;
  let reached = from;
  try {
    for await (const piece of socket) {
      let bytes = piece as Buffer;
      if (!inBody) {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) continue;
        inBody = true;
        bytes = head.subarray(end + 4);
        if (!/^HTTP\/1\.1 20[06] /.test(head.toString('latin1', 0, end))) {
          return { reached, wrong: `answered ${head.toString('latin1', 0, 40)}` };
        }
      }
      if (!bytes.equals(body.subarray(reached, reached + bytes.length))) {
        return { reached, wrong: `other bytes behind ${reached}` };
      }
      reached += bytes.length;
      if (reached >= until) break;
    }
  } catch (error) {
    return { reached, wrong: String(error) };
  }
  return { reached, wrong: undefined };
}
