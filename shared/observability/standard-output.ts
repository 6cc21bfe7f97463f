import { EmfMetrics } from './emf-metrics.ts';
import { createJsonLog, type Log, type LogLevel } from './log.ts';
import { type Metrics, noMetrics } from './metrics.ts';

const clock = { now: () => Date.now() };

/** Lines on standard output, which Lambda sends to CloudWatch, and metrics among them where CloudWatch reads those. */
export interface StandardOutput {
  readonly log: Log;
  /** None but on Lambda. */
  readonly metrics: Metrics;
  /** Writes what has not been written yet: the instance may be frozen. */
  flush(): void;
}

/** @param service `inference`, `control` or `monitor` */
export function createStandardOutput(
  env: Readonly<Record<string, string | undefined>>,
  service: string,
  level: LogLevel,
): StandardOutput {
  const { write, flush } = gatherLines((text) => process.stdout.write(text));
  const isLambda = env['AWS_LAMBDA_FUNCTION_NAME'] !== undefined;
  const namespace = metricNamespace(env['CASALINGUA_STAGE'] ?? 'local');
  return {
    log: createJsonLog(write, clock, { level }),
    metrics: isLambda ? new EmfMetrics({ write, namespace, service, clock }) : noMetrics,
    flush,
  };
}

/** Where CloudWatch keeps the metrics of a stage. */
export function metricNamespace(stage: string): string {
  return `CasaLingua/${stage}`;
}

/**
 * Lines that are written together when the step of the event loop is over, or the process: whoever writes into a pipe waits for it,
 * and a request has several.
 */
export function gatherLines(output: (text: string) => void): { write(line: string): void; flush(): void } {
  let gathered = '';
  const flush = () => {
    if (gathered === '') return;
    const text = gathered;
    gathered = '';
    process.off('exit', flush);
    output(text);
  };
  return {
    flush,
    write(line) {
      if (gathered === '') {
        setImmediate(flush);
        process.once('exit', flush);
      }
      gathered += `${line}\n`;
    },
  };
}
