import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Manifest } from '../../repository/manifest.ts';
import { InferenceFailedError, ModelUnsupportedError } from '../errors.ts';
import type { ExternalWeights } from './external-weights.ts';
import { currentHeap, HeapTensor, uint32At } from './heap-tensor.ts';
import { checkStatus, engineError, type OrtModule } from './ort-module.ts';
import type { HostTensor, OnnxSession } from './session.ts';

/** The engine's numbers for how much it rewrites a graph when it creates a session. */
const GRAPH_OPTIMISATION = { exported: 99, optimised: 0 } as const;
const EXECUTE_SEQUENTIALLY = 0;
const LOG_FATAL = 4;
const READ_CHUNK = 8 * 1024 * 1024;

export interface SessionSettings {
  /** What the graph has as external data. */
  readonly weights?: ExternalWeights | undefined;
  /** Whether weights are kept in the form that suits the kernels best, which takes as much memory again; default true. */
  readonly prepacking?: boolean | undefined;
}

/** Input and output names of one kind of run, resolved once: names are looked up once, not at every step. */
export interface RunPlan {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly inputNames: number;
  readonly outputNames: number;
  /** Room for the handles of one run. */
  readonly inputs: number;
  readonly outputs: number;
}

/** One graph in the engine's heap. It lives as long as its worker: a heap never shrinks (design part 4, fact 1). */
export class WasmSession implements OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly module: OrtModule;
  readonly #handle: number;
  readonly #names: ReadonlyMap<string, number>;
  readonly #runOptions: number;

  private constructor(module: OrtModule, handle: number) {
    this.module = module;
    this.#handle = handle;
    this.#runOptions = module._OrtCreateRunOptions(LOG_FATAL, 0, false, 0);
    const { inputs, outputs, names } = readNames(module, handle);
    this.inputNames = inputs;
    this.outputNames = outputs;
    this.#names = names;
  }

  /**
   * Reads the file straight into the heap, so that its bytes exist once.
   * @param graphs whether the engine still has to optimise the graph or did so when the model was built
   * @throws ModelUnsupportedError, or what the weights could not be read for
   */
  static async open(
    module: OrtModule,
    path: string,
    graphs: Manifest['graphs'],
    { weights, prepacking = true }: SessionSettings = {},
  ): Promise<WasmSession> {
    const { pointer, size } = readIntoHeap(module, path);
    const options = createOptions(module, graphs, prepacking);
    try {
      const handle = await createSession(module, { pointer, size, options }, weights);
      if (handle === 0) {
        const cause = engineError(module, 'create a session');
        throw new ModelUnsupportedError(cause.message, { cause });
      }
      return new WasmSession(module, handle);
    } finally {
      module._OrtReleaseSessionOptions(options);
      module._free(pointer);
    }
  }

  /** @throws ModelUnsupportedError when the graph lacks one of the names */
  plan(inputs: readonly string[], outputs: readonly string[]): RunPlan {
    const words = 2 * (inputs.length + outputs.length);
    const start = this.module._malloc(words * 4);
    const table = uint32At(this.module, start, words);
    [...inputs, ...outputs].forEach((name, index) => {
      const pointer = this.#names.get(name);
      if (pointer === undefined) throw new ModelUnsupportedError(`the graph has no input or output named ${name}`);
      table[index] = pointer;
    });
    return {
      inputCount: inputs.length,
      outputCount: outputs.length,
      inputNames: start,
      outputNames: start + inputs.length * 4,
      inputs: start + (inputs.length + outputs.length) * 4,
      outputs: start + (2 * inputs.length + outputs.length) * 4,
    };
  }

  /** Runs on tensors that stay in the heap; the caller releases the inputs as well as the outputs. */
  runPlan(plan: RunPlan, feeds: readonly HeapTensor[]): HeapTensor[] {
    const { module } = this;
    const inputs = uint32At(module, plan.inputs, plan.inputCount);
    for (let index = 0; index < plan.inputCount; index++) inputs[index] = (feeds[index] as HeapTensor).handle;
    uint32At(module, plan.outputs, plan.outputCount).fill(0);
    const status = module._OrtRun(
      this.#handle,
      plan.inputNames,
      plan.inputs,
      plan.inputCount,
      plan.outputNames,
      plan.outputCount,
      plan.outputs,
      this.#runOptions,
    );
    checkStatus(module, status, 'run the graph');
    const handles = uint32At(module, plan.outputs, plan.outputCount);
    return Array.from(handles, (handle) => HeapTensor.adopt(module, handle));
  }

  run(feeds: Readonly<Record<string, HostTensor>>, fetches: readonly string[]): HostTensor[] {
    const { module } = this;
    const plan = this.plan(Object.keys(feeds), fetches);
    const inputs: HeapTensor[] = [];
    let outputs: HeapTensor[] = [];
    try {
      for (const feed of Object.values(feeds)) {
        const tensor = HeapTensor.allocate(module, feed.type, feed.dims);
        inputs.push(tensor);
        const { buffer, byteOffset, byteLength } = feed.data;
        tensor.bytes(feed.data.BYTES_PER_ELEMENT).set(new Uint8Array(buffer, byteOffset, byteLength));
      }
      outputs = this.runPlan(plan, inputs);
      return outputs.map((tensor) => ({ type: 'float32', dims: tensor.dims, data: tensor.float32().slice() }));
    } finally {
      for (const tensor of [...inputs, ...outputs]) tensor.release();
      module._free(plan.inputNames);
    }
  }
}

function createOptions(module: OrtModule, graphs: Manifest['graphs'], prepacking: boolean): number {
  const level = GRAPH_OPTIMISATION[graphs];
  const options = module._OrtCreateSessionOptions(
    level,
    false,
    false,
    EXECUTE_SEQUENTIALLY,
    false,
    0,
    0,
    LOG_FATAL,
    0,
    0,
  );
  if (prepacking) return options;
  const [key, value] = [textInHeap(module, 'session.disable_prepacking'), textInHeap(module, '1')];
  checkStatus(module, module._OrtAddSessionConfigEntry(options, key, value), 'switch prepacking off');
  for (const text of [key, value]) module._free(text);
  return options;
}

/** @returns 0 when the engine refuses the graph */
async function createSession(
  module: OrtModule,
  { pointer, size, options }: { pointer: number; size: number; options: number },
  weights: ExternalWeights | undefined,
): Promise<number> {
  if (weights === undefined) return module._OrtCreateSession(pointer, size, options);
  try {
    module.mountExternalData(weights.name, weights.data);
    const handle = await module._OrtCreateSession(pointer, size, options);
    weights.throwFailure();
    if (handle !== 0 || !weights.isMisread) return handle;
    module.mountExternalData(weights.name, weights.whole());
    return await module._OrtCreateSession(pointer, size, options);
  } finally {
    module.unmountExternalData();
  }
}

function textInHeap(module: OrtModule, text: string): number {
  const bytes = module.lengthBytesUTF8(text) + 1;
  const pointer = module._malloc(bytes);
  module.stringToUTF8(text, pointer, bytes);
  return pointer;
}

function readIntoHeap(module: OrtModule, path: string): { pointer: number; size: number } {
  const { size } = statSync(path);
  const pointer = module._malloc(size);
  if (pointer === 0) throw new InferenceFailedError(`the WebAssembly heap has no room for ${size} bytes of weights`);
  const heap = currentHeap(module);
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < size; ) {
      const read = readSync(file, heap, pointer + done, Math.min(READ_CHUNK, size - done), done);
      if (read === 0) throw new ModelUnsupportedError('the graph file became shorter while it was read');
      done += read;
    }
    return { pointer, size };
  } catch (thrown) {
    module._free(pointer);
    throw thrown;
  } finally {
    closeSync(file);
  }
}

function readNames(module: OrtModule, handle: number) {
  const stack = module.stackSave();
  try {
    const pointer = module.PTR_SIZE;
    const out = module.stackAlloc(2 * pointer);
    checkStatus(module, module._OrtGetInputOutputCount(handle, out, out + pointer), 'count inputs and outputs');
    const [inputCount = 0, outputCount = 0] = uint32At(module, out, 2);
    const entries = Array.from({ length: inputCount + outputCount }, (_, index): [string, number] => {
      checkStatus(module, module._OrtGetInputOutputMetadata(handle, index, out, out + pointer), 'read the metadata');
      const [name = 0, metadata = 0] = uint32At(module, out, 2);
      if (metadata !== 0) module._OrtFree(metadata);
      return [module.UTF8ToString(name), name];
    });
    const names = entries.map(([name]) => name);
    return { inputs: names.slice(0, inputCount), outputs: names.slice(inputCount), names: new Map(entries) };
  } finally {
    module.stackRestore(stack);
  }
}
