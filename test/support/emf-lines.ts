import * as z from 'zod';
import { EmfMetrics } from '../../shared/observability/emf-metrics.ts';

const name = z.string().min(1).max(1024);

/** AWS's JSON schema of the embedded metric format (CloudWatch_Embedded_Metric_Format_Specification), and that what it names is there. */
const emfSchema = z
  .looseObject({
    _aws: z.object({
      Timestamp: z.int().positive(),
      CloudWatchMetrics: z.array(
        z.object({
          Namespace: name,
          Dimensions: z.array(z.array(name).min(1).max(30)).min(1),
          Metrics: z
            .array(
              z.object({
                Name: name,
                Unit: z.enum(['Seconds', 'Bytes', 'Percent', 'Count', 'None']),
                StorageResolution: z.literal([1, 60]).optional(),
              }),
            )
            .min(1)
            .max(100),
        }),
      ),
    }),
  })
  .refine((line) =>
    line._aws.CloudWatchMetrics.every(({ Dimensions, Metrics }) => {
      const dimensions = Dimensions.flat().map((dimension) => line[dimension]);
      const values = Metrics.map(({ Name }) => line[Name]);
      return (
        dimensions.every((value) => typeof value === 'string' && value.length > 0 && value.length <= 1024) &&
        values.every((value) => typeof value === 'number' || isValues(value))
      );
    }),
  );

function isValues(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 100 && value.every((each) => Number.isFinite(each));
}

/** One value of one series of CloudWatch: `requests 2xx /translate` is by its metric and the values of its dimensions. */
export type Sent = readonly [series: string, value: number | readonly number[]];

/** The real metrics for CloudWatch, with all that they have sent so far: each line checked against the format, each series by itself. */
export function emfLines(clock: { now(): number } = { now: () => 1_767_323_045_678 }) {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(...text.split('\n'));
  const metrics = new EmfMetrics({ write, namespace: 'CasaLingua/test', service: 'inference', clock });
  return {
    metrics,
    lines,
    sent: (): readonly Sent[] => lines.flatMap(seriesOf),
  };
}

function seriesOf(text: string): Sent[] {
  const line = emfSchema.parse(JSON.parse(text));
  return line._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name }) =>
      Dimensions.map((dimensions): Sent => {
        const labels = dimensions.filter((dimension) => dimension !== 'service').map((dimension) => line[dimension]);
        return [[Name, ...labels].join(' '), line[Name] as number | readonly number[]];
      }),
    ),
  );
}
