import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../infra/local/listen.ts';
import { composeSingleProcess } from '../../infra/local/serve-app.ts';
import { createServiceServer } from '../../infra/local/service-server.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { inferenceBundle } from '../support/local-run.ts';

/** What the single process holds, after its garbage was collected. */
export interface Held {
  readonly heapMb: number;
  /** Buffers outside the heap. */
  readonly buffersMb: number;
  readonly residentMb: number;
  readonly leases: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly connections: number;
}

export type FromChild = { readonly port: number } | Held;

const MB = 1024 * 1024;
/** So that what was let go with the last answers is gone, too. */
const SETTLE_MS = 100;

const folder = await mkdtemp(join(process.env['FUZZ_FOLDER'] ?? '', 'cache-'));
const log = createJsonLog((line) => process.stdout.write(`${line}\n`), systemClock);
const served = composeSingleProcess({ ...process.env, CASALINGUA_CACHE_FOLDER: folder }, inferenceBundle, log);
const server = createServiceServer(served.app.fetch, '127.0.0.1');
const tell = (message: FromChild) => process.send?.(message);

process.on('message', async (message) => {
  if (message !== 'end') {
    tell(await hold());
    return;
  }
  await closeServer(server);
  await served.close();
  process.disconnect();
});
process.on('disconnect', () => process.exit());
tell({ port: await listenOnLoopback(server, 0) });

async function hold(): Promise<Held> {
  for (let times = 0; times < 3; times++) {
    globalThis.gc?.();
    await delay(SETTLE_MS);
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const { inFlight, waiting } = served.gate.report();
  return {
    heapMb: heapUsed / MB,
    buffersMb: arrayBuffers / MB,
    residentMb: rss / MB,
    leases: served.host.status().reduce((sum, { leases }) => sum + leases, 0),
    inFlight,
    waiting,
    connections: await new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
  };
}
