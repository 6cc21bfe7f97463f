import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExternalData } from '../../../shared/runtime/engine/external-weights.ts';
import { currentHeap } from '../../../shared/runtime/engine/heap-tensor.ts';
import { engineError, type OrtModule, startOrtModule } from '../../../shared/runtime/engine/ort-module.ts';
import { WeightsFile } from '../../../shared/runtime/engine/weights-file.ts';
import { answerParent } from '../child-process.ts';
import { engineFiles } from '../engine-files.ts';
import type { DataPlace } from '../onnx/external-data.ts';
import type { RecordReply, RecordRequest } from './record-asks.ts';

/** The same numbers as loads have: how far a graph is rewritten decides what is asked for, and when. */
const OPTIMISATION = { exported: 99, optimised: 0 } as const;
const LOG_FATAL = 4;

answerParent<RecordRequest, RecordReply>(async ({ graphs, kind }) => {
  const { glue, wasm } = engineFiles();
  const compiled = await WebAssembly.compile(await readFile(wasm));
  const module = await startOrtModule(glue, compiled, 1);
  const asks: DataPlace[][] = [];
  for (const graph of graphs) asks.push(await recordGraph(module, graph, OPTIMISATION[kind]));
  return { asks };
});

async function recordGraph(
  module: OrtModule,
  { path, folder, locations }: RecordRequest['graphs'][number],
  optimisation: number,
): Promise<DataPlace[]> {
  const asked: DataPlace[] = [];
  const files = locations.map((location) => {
    const file = new WeightsFile(join(folder, location));
    module.mountExternalData(
      location,
      recorded(file, (offset, length) => asked.push({ location, offset, length })),
    );
    return file;
  });
  const bytes = await readFile(path);
  const model = module._malloc(bytes.length);
  currentHeap(module).set(bytes, model);
  const options = module._OrtCreateSessionOptions(optimisation, false, false, 0, false, 0, 0, LOG_FATAL, 0, 0);
  const session = await module._OrtCreateSession(model, bytes.length, options);
  if (session === 0) throw engineError(module, 'create a session');
  module._OrtReleaseSessionOptions(options);
  module._free(model);
  module.unmountExternalData();
  for (const file of files) file.close();
  return asked;
}

/** A file as the engine takes external data; tells what is asked of it. */
function recorded(file: WeightsFile, onAsk: (offset: number, length: number) => void): ExternalData {
  return {
    byteLength: file.size,
    subarray(begin, end) {
      onAsk(begin, end - begin);
      const bytes = new Uint8Array(end - begin);
      file.read(bytes, begin);
      return bytes;
    },
  };
}
