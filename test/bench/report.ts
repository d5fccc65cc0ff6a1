import { type Bar, type Figure, type Measure, median } from './figures.ts';

/** What a scenario brought, and what went wrong in it. */
export interface Result {
  readonly scenario: string;
  readonly about: string;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  readonly failure?: string;
}

/** The circumstances, a line each. */
export type Circumstances = Readonly<Record<string, string>>;

type Medians = Readonly<Record<'ours' | 'nginx' | 'base', number | undefined>>;

/** What the Markdown document begins with. */
export function heading(circumstances: Circumstances): string {
  const lines = Object.entries(circumstances).map(([name, value]) => `- ${name}: ${value}`);
  return ['# package-cache bench', lines.join('\n')].join('\n\n');
}

/** A scenario's table under its heading. */
export function section({ scenario, about, figures, notes, failure }: Result): string {
  return [
    `## ${scenario}: ${about}`,
    ...(figures.length > 0 ? [table(figures)] : []),
    ...notes,
    ...(failure === undefined ? [] : [`**Failed:** ${failure}`]),
  ].join('\n\n');
}

/** All of it for programs, with every value. */
export function json(circumstances: Circumstances, results: readonly Result[]): string {
  const scenarios = results.map((result) => ({
    ...result,
    figures: result.figures.map((figure) => {
      const medians = mediansOf(figure);
      return { ...figure, medians, ratio: ratioOf(medians), met: isMet(figure.bar, medians) };
    }),
  }));
  return `${JSON.stringify({ circumstances, scenarios }, undefined, 2)}\n`;
}

function table(figures: readonly Figure[]): string {
  const base = figures.find((figure) => figure.base !== undefined)?.base;
  const head = ['case', 'figure', 'ours', 'nginx', ...(base ? [base] : []), 'ratio', 'bar', ''];
  const rows = figures.map((figure) => {
    const medians = mediansOf(figure);
    const met = isMet(figure.bar, medians);
    return [
      figure.name,
      figure.what,
      number(medians.ours, figure.unit),
      number(medians.nginx, figure.unit),
      ...(base ? [number(medians.base, figure.unit)] : []),
      number(ratioOf(medians)),
      barText(figure),
      met === undefined ? '' : met ? 'met' : '**missed**',
    ];
  });
  const widths = head.map((_, column) => {
    return Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0));
  });
  const rule = widths.map((width) => '-'.repeat(width));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [head, rule, ...rows].map(line).join('\n');
}

function mediansOf({ values }: Figure): Medians {
  return { ours: median(values.ours), nginx: median(values.nginx), base: median(values.base) };
}

/** To nginx. */
function ratioOf({ ours, nginx }: Medians): number | undefined {
  return ours === undefined || nginx === undefined || nginx === 0 ? undefined : ours / nginx;
}

/** Undefined where there is no bar, or nothing to hold against it. */
function isMet(bar: Bar | undefined, medians: Medians): boolean | undefined {
  const reference = bar?.against === undefined ? 0 : medians[bar.against];
  if (bar === undefined || medians.ours === undefined || reference === undefined) return undefined;
  const most = reference * (bar.factor ?? 1) + (bar.plus ?? 0);
  // To a hundredth: finer than that no such measurement is.
  return Math.round((medians.ours / most) * 100) <= 100;
}

function barText({ bar, base, unit }: Measure): string {
  if (bar === undefined) return '';
  const { against, factor, plus } = bar;
  const name = against === 'base' ? base : against;
  if (name === undefined) return `≤ ${plus} ${unit}`;
  const multiple = factor === undefined || factor === 1 ? name : `${factor} × ${name}`;
  return `≤ ${multiple}${plus === undefined ? '' : ` + ${plus} ${unit}`}`;
}

/** Three digits that count. */
function number(value: number | undefined, unit = ''): string {
  if (value === undefined) return '';
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return unit === '' ? text : `${text} ${unit}`;
}
