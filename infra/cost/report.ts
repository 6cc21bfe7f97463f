import { amazonTranslate, type LibreTranslateTask, libreTranslate } from './alternatives.ts';
import { type Bill, type Deployment, instancesAtPeak, onDemand, provisioned, requestMs, total } from './estimate.ts';
import { compute, type Price, prices } from './prices.ts';
import type { Shape } from './shapes.ts';

/** What one way to translate costs in one shape. */
export interface Offer {
  readonly name: string;
  /** US dollars. */
  readonly perMonth: number;
  readonly perMillionCharacters: number;
  readonly bill: Bill;
}

export interface ShapeReport {
  readonly shape: Shape;
  readonly requestMs: number;
  readonly instancesAtPeak: number;
  readonly offers: readonly Offer[];
}

export function reportOf(shape: Shape, deployment: Deployment, task: LibreTranslateTask): ShapeReport {
  const offer = (name: string, bill: Bill): Offer => {
    const perMonth = total(bill);
    return { name, perMonth, perMillionCharacters: (perMonth / shape.charactersPerMonth) * 1e6, bill };
  };
  return {
    shape,
    requestMs: requestMs(shape, deployment),
    instancesAtPeak: instancesAtPeak(shape, deployment),
    offers: [
      offer('CasaLingua, on demand', onDemand(shape, deployment)),
      offer('CasaLingua, provisioned', provisioned(shape, deployment)),
      offer('LibreTranslate on Fargate', libreTranslate(shape, task)),
      offer('Amazon Translate', amazonTranslate(shape)),
    ],
  };
}

/** In Markdown, as `docs/cost.md` keeps it. */
export function inWords(reports: readonly ShapeReport[]): string {
  return reports.map(shapeInWords).join('\n\n');
}

/** Every price that an estimate rests on, in Markdown. */
export function pricesInWords(): string {
  const named = {
    ...Object.fromEntries(
      Object.entries(compute).flatMap(([architecture, { onDemand, kept, provisioned }]) => [
        [`Lambda ${architecture}, on demand`, onDemand],
        [`Lambda ${architecture}, kept ready`, kept],
        [`Lambda ${architecture}, at work while kept ready`, provisioned],
      ]),
    ),
    'Lambda, request': prices.lambdaRequest,
    'HTTP API, request': prices.httpApiRequest,
    'DynamoDB, read': prices.dynamoRead,
    'DynamoDB, write': prices.dynamoWrite,
    'CloudWatch Logs': prices.logGb,
    'Fargate, processor': prices.fargateCpuHour,
    'Fargate, memory': prices.fargateGbHour,
    'Load balancer': prices.balancerHour,
    'Load balancer, capacity': prices.balancerUnitHour,
    'Amazon Translate': prices.translateCharacter,
  } satisfies Record<string, Price>;
  return table(
    ['price', 'USD', 'for one', 'page', 'read at', 'dated'],
    Object.entries<Price>(named).map(([name, { usd, per, page, readAt, dated = '' }]) => [
      name,
      plain(usd),
      per,
      page,
      readAt,
      dated,
    ]),
  );
}

function shapeInWords({ shape, requestMs, instancesAtPeak, offers }: ShapeReport): string {
  const { name, description, charactersPerMonth, charactersPerRequest } = shape;
  const rows = offers.map((offer) => [
    offer.name,
    offer.perMonth.toFixed(2),
    offer.perMillionCharacters.toFixed(3),
    Object.entries(offer.bill)
      .map(([what, usd]) => `${what} ${usd.toFixed(2)}`)
      .join(', '),
  ]);
  return [
    `**${name}**: ${description}; ${plain(charactersPerMonth / 1e6)} million characters a month, ${charactersPerRequest} to a request of ${requestMs} ms; the peak needs ${instancesAtPeak} ${instancesAtPeak === 1 ? 'instance' : 'instances'}.`,
    '',
    table(['way', 'USD a month', 'USD per million characters', 'of which'], rows),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Without an exponent. */
function plain(value: number): string {
  return value.toFixed(12).replace(/\.?0+$/, '');
}
