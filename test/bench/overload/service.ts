/** The service as `npm run serve` has it, in a process of its own: all functions behind one port. */

import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { listenOnLoopback } from '../../../infra/local/listen.ts';
import { onLoopback } from '../../../infra/local/local-access.ts';
import { composeSingleProcess } from '../../../infra/local/serve-app.ts';
import { createServiceServer } from '../../../infra/local/service-server.ts';
import type { AdmissionReport } from '../../../shared/admission/admission-report.ts';
import { serve } from '../serve.ts';

export interface ServiceStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
}

export interface ServiceRequest {
  readonly type: 'report';
}

export interface ServiceReport {
  readonly port: number;
  readonly admission: AdmissionReport;
  /** Ms of processor time since it began, of all threads. */
  readonly cpuMs: number;
  readonly rssMb: number;
  /** Of the main thread, with what was garbage collected. */
  readonly aliveMb: number;
  /** Open sockets of callers. */
  readonly connections: number;
  /** Holds on models. */
  readonly leases: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const { bundle } = JSON.parse(process.argv[2] ?? '') as ServiceStart;
const { app, gate, host } = composeSingleProcess({ ...onLoopback, ...process.env }, bundle);
const server = createServiceServer(app.fetch, '127.0.0.1');
const port = await listenOnLoopback(server, 0);
const connections = promisify(server.getConnections.bind(server));

serve<ServiceRequest, ServiceReport>(async () => {
  const { user, system } = process.cpuUsage();
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    port,
    admission: gate.report(),
    cpuMs: (user + system) / 1000,
    rssMb: rss / 2 ** 20,
    aliveMb: (heapUsed + external) / 2 ** 20,
    connections: await connections(),
    leases: host.status().reduce((sum, { leases }) => sum + leases, 0),
  };
});
