/** What one connection asks for, one after the other. */
export interface Line {
  readonly targets: readonly string[];
  /** Milliseconds after the job's start at which it connects. */
  readonly after?: number;
}

/** What a client process is to do. */
export interface Job {
  readonly port: number;
  readonly lines: readonly Line[];
  /**
   * With a window every line goes round its targets, and what happens within the window counts.
   * Without, every line asks for each target once, and everything counts.
   */
  readonly window?: {
    /** Seconds before it begins. */
    readonly warmUp: number;
    readonly seconds: number;
  };
  /** Bytes a second of each line; without it, as fast as it goes. */
  readonly rate?: number;
  /** The largest TCP segment; without it loopback's, of 64 KiB. */
  readonly segment?: number;
  /**
   * Never sleeps. On one machine it is the server who pays for waking a client, in a virtual machine
   * more than for the bytes; no client elsewhere costs a server this. Not while a source needs the
   * same processor.
   */
  readonly eager?: boolean;
  /** Seconds for which a refused connection is tried again. */
  readonly patience?: number;
  /** Processes whose processor time is read where counting begins and ends. */
  readonly servers: readonly number[];
}

/** One answer; the times are in milliseconds. */
export interface Answer {
  readonly line: number;
  /** From the request (with the connect, when it is a connection's first) to the body's first byte. */
  readonly firstByte: number;
  /** From the same moment to the body's last byte. */
  readonly whole: number;
  /** When the last byte came, on the machine's monotonic clock. */
  readonly at: number;
}

/** What came of it. */
export interface Outcome {
  readonly seconds: number;
  /** Body bytes. */
  readonly bytes: number;
  readonly answers: readonly Answer[];
  /** Processor seconds of the servers. */
  readonly serverCpu: number;
  /** Processor seconds that the client itself had use for. */
  readonly clientCpu: number;
}

/** Why nothing came of it. */
export interface Failure {
  readonly failure: string;
}

/** Milliseconds on the machine's monotonic clock, which all processes share. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
