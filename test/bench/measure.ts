import { readFileSync, writeFileSync } from 'node:fs';
import { processorSeconds } from './syscalls.ts';

/** A process and its children, as nginx has them. */
export function familyOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return [pid, ...children.split(' ').filter(Boolean).map(Number)];
}

/** Processor seconds of processes so far. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (processorSeconds(pid) ?? 0), 0);
}

/** The most memory that processes have held since `resetPeak`, in bytes. */
export function peakOf(pids: readonly number[]): number {
  const peaks = pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  });
  return peaks.reduce((sum, peak) => sum + peak, 0);
}

/** Lets the peak begin anew at what is held now (proc_pid_clear_refs(5)). */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
