import { readFile } from 'node:fs/promises';
import { PROTOCOL } from '../daemon/control/wire.ts';
import { printable } from '../daemon/errors.ts';
import { type Client, connect } from './client.ts';
import { runCommand } from './command.ts';
import { ControlFailure, exitCodes, failed } from './failure.ts';
import { commandHelp, helpText } from './help.ts';
import { complain, type Io, stopCode } from './io.ts';
import { type Order, parseUsage } from './usage.ts';

/** Does what the command line says, and resolves to the exit code. */
export async function run(io: Io): Promise<number> {
  try {
    const order = parseUsage(io.argv);
    if (order.action === 'version') return await printVersions(order, io);
    if (order.action === 'run') return await ask(order, io);
    const { command } = order;
    io.stdout.write(command === undefined ? helpText() : commandHelp(command));
    return exitCodes.done;
  } catch (error) {
    if (io.stop.aborted) return stopCode(io.stop);
    if (!(error instanceof ControlFailure)) throw error;
    complain(io, error.message);
    return error.exitCode;
  }
}

async function ask(order: Extract<Order, { action: 'run' }>, io: Io): Promise<number> {
  const client = await open(order, io);
  try {
    checkProtocol(client);
    return await runCommand({ order, client, io });
  } finally {
    client.close();
  }
}

// Ctrl-C closes the connection, and that ends what the daemon does for it.
async function open({ socket }: { readonly socket?: string }, io: Io): Promise<Client> {
  const client = await connect({ env: io.env, ...(socket === undefined ? {} : { socket }) });
  io.stop.addEventListener('abort', () => client.close(), { once: true });
  if (io.stop.aborted) client.close();
  return client;
}

function checkProtocol({ hello, path }: Client): void {
  if (hello.protocol === PROTOCOL) return;
  const reason = `${wordMismatch(hello.protocol)} (package-cache ${hello.version})`;
  throw failed({ verb: 'talk to', thing: path, reason });
}

function wordMismatch(protocol: number): string {
  const wayOut =
    protocol < PROTOCOL ? 'restart the daemon to bring it up to date' : 'update package-cache-ctl';
  return `the daemon speaks protocol ${protocol} and this program protocol ${PROTOCOL}: ${wayOut}`;
}

async function printVersions(order: { readonly socket?: string }, io: Io): Promise<number> {
  io.stdout.write(`package-cache-ctl ${await readVersion()}, protocol ${PROTOCOL}\n`);
  try {
    const client = await open(order, io);
    const { protocol, pid } = client.hello;
    const version = printable(client.hello.version);
    client.close();
    io.stdout.write(
      `package-cache ${version}, protocol ${protocol}, pid ${pid} at ${client.path}\n`,
    );
    if (protocol === PROTOCOL) return exitCodes.done;
    complain(io, wordMismatch(protocol));
    return exitCodes.failed;
  } catch (error) {
    // Its own version is told whether or not a daemon runs.
    if (!(error instanceof ControlFailure) || error.exitCode !== exitCodes.noDaemon) throw error;
    io.stdout.write('package-cache does not run\n');
    return exitCodes.done;
  }
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
