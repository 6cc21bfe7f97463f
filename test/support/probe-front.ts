import { join } from 'node:path';
import { type Front, type FrontLimits, type FrontNote, startFront } from '../../infra/local/front/front.ts';

export interface ProbeFrontOptions {
  /** A copy of the fixture, for who changes it. */
  readonly folder?: string;
  readonly maxInstances?: number;
  readonly provisioned?: number;
  readonly timeoutMs?: number;
  readonly environment?: Record<string, string>;
  readonly limits?: Partial<FrontLimits>;
  readonly onNote?: (note: FrontNote) => void;
}

/** The fixture's code. */
export const probeFolder = join(import.meta.dirname, '..', 'fixtures', 'lambda', 'probe');

/** A front before the fixture function `test/fixtures/lambda/probe`, which every path but `/unrouted` is routed to. */
export function startProbeFront(options: ProbeFrontOptions = {}): Promise<Front> {
  const built = join(import.meta.dirname, '..', '..', 'build', 'local');
  const paths = ['event', 'context', 'environment', 'who', 'slow', 'throw', 'late-rejection', 'exit', 'large'];
  const more = ['binary', 'plain', 'malformed', 'print', 'below/{proxy+}'];
  return startFront({
    functions: [
      {
        name: 'probe',
        folder: options.folder ?? probeFolder,
        handler: 'index.handler',
        maxInstances: options.maxInstances ?? 1,
        provisioned: options.provisioned ?? 0,
        timeoutMs: options.timeoutMs ?? 30_000,
        memoryMb: 256,
        environment: { ...options.environment },
      },
    ],
    routes: [...paths, ...more].map((path) => ({ path: `/${path}`, function: 'probe' })),
    programs: { runtime: join(built, 'lambda-runtime.mjs'), reaper: join(built, 'reaper.mjs') },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
  });
}
