import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { circumstancesOf } from './circumstances.ts';
import { helpText, type Options, readOptions } from './options.ts';
import { chooseProcessors, isInstalled, Processes, type Processors } from './processes.ts';
import { heading, json, type Result, section } from './report.ts';
import { scenarios } from './scenarios.ts';
import { type Scenario, type Settings, Stage } from './stage.ts';

/** Seconds after which a run is broken off, whatever it is at. */
const WHOLE_RUN = 600;
const QUICK_RUN = 120;
/** Seconds that a scenario has for its preparation and a slow last round, on top of its own. */
const SPARE = 10;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), scenarios);
    if (!options.help) return await bench(options);
    process.stdout.write(helpText(scenarios));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 2;
  }
}

/** Runs the scenarios one by one; what one has brought is printed before the next begins. */
async function bench(options: Options): Promise<number> {
  const processors = chooseProcessors();
  const nginx = isInstalled('nginx');
  const circumstances = circumstancesOf({ options, processors, nginx });
  const end = performance.now() + (options.quick ? QUICK_RUN : WHOLE_RUN) * 1000;
  process.stdout.write(`${heading(circumstances)}\n`);
  const results: Result[] = [];
  for (const scenario of options.scenarios) {
    const left = (end - performance.now()) / 1000;
    const result = await perform(scenario, { settings: { ...options, nginx }, processors, left });
    results.push(result);
    process.stdout.write(`\n${section(result)}\n`);
  }
  writeFileSync(options.json, json(circumstances, results));
  return results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

interface Conditions {
  readonly settings: Settings & Pick<Options, 'directory'>;
  readonly processors: Processors;
  /** Seconds that are left of the run. */
  readonly left: number;
}

/** Runs a scenario in a directory and with programs of its own, which are gone afterwards. */
async function perform(
  scenario: Scenario,
  { settings, processors, left }: Conditions,
): Promise<Result> {
  const { name, about, seconds } = scenario;
  const failed = (failure: string) => ({ scenario: name, about, figures: [], notes: [], failure });
  if (left < SPARE) return failed('the time of the whole run is over');
  const directory = mkdtempSync(join(settings.directory ?? tmpdir(), 'package-cache-bench-'));
  const processes = new Processes();
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const exit = () => {
    processes.killAll();
    remove();
  };
  process.once('exit', exit);
  const time = Math.min(seconds[settings.quick ? 1 : 0], left);
  try {
    const stage = new Stage({ settings, processes, processors, directory, time });
    const bound = Math.min(left, 2 * time + SPARE);
    const figures = await within(bound, scenario.run(stage));
    return { scenario: name, about, figures: figures.all(), notes: figures.notes() };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  } finally {
    process.off('exit', exit);
    await processes.endAll();
    remove();
  }
}

/** @throws Error when it takes longer. */
async function within<Value>(seconds: number, work: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`it did not end within ${Math.round(seconds)} s`)),
    seconds * 1000,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    // What it waits for ends now, and nobody asks any more.
    work.catch(() => {});
  }
}
