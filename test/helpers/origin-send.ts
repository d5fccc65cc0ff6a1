import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Reply } from './origin-reply.ts';
import { resetAfterDelivery } from './tcp.ts';

/** One answer on its way; `onSent` hears of body bytes as they go to the kernel. */
export interface Sending {
  readonly socket: Socket;
  readonly reply: Reply;
  readonly answer: Answer;
  onSent(bytes: number): void;
}

/** Writes an answer with its lies; true when the connection may carry another one. */
export async function send(sending: Sending): Promise<boolean> {
  const { socket, reply, answer } = sending;
  if (answer.interim !== undefined) await write(socket, Buffer.from(answer.interim));
  await answer.delayHead?.pass();
  if (answer.raw !== undefined) {
    await write(socket, Buffer.from(answer.raw));
    return finish(socket, answer);
  }
  await write(socket, reply.head);
  await sendBody(sending);
  if (breaksOff(sending)) return finish(socket, answer);
  if (reply.chunked && answer.dropChunkEnd !== true) await write(socket, Buffer.from('0\r\n\r\n'));
  if (reply.close) return finish(socket, answer);
  return !socket.destroyed;
}

async function sendBody(sending: Sending): Promise<void> {
  const { socket, reply, answer } = sending;
  const stop = stopAt(sending);
  for (let at = reply.from; at < stop && !socket.destroyed; ) {
    await holdAt(answer, at - reply.from);
    const to = pieceEnd(sending, at);
    const piece = reply.source.read(at, to);
    await write(socket, reply.chunked ? asChunk(piece) : piece);
    sending.onSent(piece.length);
    if (answer.rate !== undefined) await pause((piece.length / answer.rate) * 1000);
    at = to;
  }
  if (stop > reply.from) await holdAt(answer, stop - reply.from);
}

function stopAt(sending: Sending): number {
  const { from, to } = sending.reply;
  return Math.min(to, from + breakOffset(sending.answer));
}

/** A body that is shorter than the break (an empty one, a resumed one) ends as it should. */
function breaksOff({ reply: { from, to }, answer }: Sending): boolean {
  return to > from && breakOffset(answer) <= to - from;
}

function breakOffset({ cutAfter, resetAfter, stallAfter }: Answer): number {
  const offsets = [cutAfter, resetAfter, stallAfter].filter((offset) => offset !== undefined);
  return Math.min(Number.POSITIVE_INFINITY, ...offsets);
}

function pieceEnd(sending: Sending, at: number): number {
  const { answer, reply } = sending;
  const slow = answer.rate === undefined ? 64 * 1024 : Math.max(1, Math.ceil(answer.rate / 50));
  const end = Math.min(at + (answer.chunks?.size ?? slow), stopAt(sending));
  const hold = reply.from + (holdOffset(answer) ?? Number.POSITIVE_INFINITY);
  return hold > at ? Math.min(end, hold) : end;
}

async function holdAt(answer: Answer, sent: number): Promise<void> {
  if (sent === holdOffset(answer)) await answer.chunks?.gate?.pass();
}

function holdOffset({ chunks }: Answer): number | undefined {
  return chunks?.gate === undefined ? undefined : (chunks.after ?? chunks.size ?? 0);
}

function asChunk(piece: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from('\r\n'),
  ]);
}

async function finish(socket: Socket, answer: Answer): Promise<false> {
  if (answer.resetAfter !== undefined) await resetAfterDelivery(socket);
  else if (answer.stallAfter === undefined) socket.end();
  return false;
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.writable || socket.write(bytes)) return;
  // A socket that closes never drains.
  const closed = new AbortController();
  const onClose = () => closed.abort();
  socket.once('close', onClose);
  await once(socket, 'drain', { signal: closed.signal }).catch(() => {});
  socket.off('close', onClose);
}
