import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from '../bench/child.ts';
import type { GeneratorReply, GeneratorRequest } from '../bench/overload/generator.ts';
import type { Level } from '../bench/overload/outcome.ts';
import { COMMON_JS } from '../bench/overload/programs.ts';
import type { ServiceReport, ServiceRequest } from '../bench/overload/service.ts';
import { bundleProgram } from '../bench/programs.ts';
import { startStores } from '../bench/stores.ts';
import { inferenceBundle, modelFolders } from './local-run.ts';

const programs = join(import.meta.dirname, '..', 'bench', 'overload');

/** The single process and its well-behaved callers, each in a process of its own; whoever tests is the flood. */
export interface FloodedService {
  report(): Promise<ServiceReport>;
  /** A few callers a second and what becomes of them, and of the health that is asked for all the while. */
  callers(durationMs: number): Promise<Level>;
  /** A socket to it. */
  connect(): Socket;
  close(): Promise<void>;
}

const CALLERS_PER_SECOND = 4;

export async function startFloodedService(): Promise<FloodedService> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-floods-'));
  // Beside the project's packages, where what is not bundled is found.
  const bundles = join(import.meta.dirname, '..', '..', 'build', 'floods');
  const [service, generator] = await Promise.all(
    ['service.ts', 'generator.ts'].map((name) => bundleProgram(join(programs, name), bundles, COMMON_JS)),
  );
  const stores = await startStores(modelFolders);
  const served: Child<ServiceRequest, ServiceReport> = startChild(
    service as string,
    { bundle: inferenceBundle },
    { ...stores.environment, CASALINGUA_CACHE_FOLDER: folder },
  );
  const calling: Child<GeneratorRequest, GeneratorReply> = startChild(
    generator as string,
    { sentences: ['Where is the library?', 'I need help.', 'Good morning.'] },
    { PATH: process.env['PATH'] ?? '' },
  );
  const { port } = await served.call({ type: 'report' });
  const origin = `http://127.0.0.1:${port}`;
  await calling.call({ type: 'closed', origin, callers: 8, durationMs: 2_000, seed: 1 });
  return {
    report: () => served.call({ type: 'report' }),
    async callers(durationMs) {
      const reply = await calling.call({
        type: 'open',
        origin,
        perSecond: CALLERS_PER_SECOND,
        warmMs: 200,
        durationMs,
        seed: 1,
      });
      if (reply.type !== 'open') throw new Error('the generator answered something else');
      return reply.level;
    },
    connect() {
      const socket = connect(port, '127.0.0.1');
      // It is hung up on, sooner or later.
      socket.on('error', () => undefined);
      return socket;
    },
    async close() {
      await Promise.all([served.end(), calling.end()]);
      await stores.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
