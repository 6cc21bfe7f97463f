import { checkStatus, type OrtModule } from './ort-module.ts';
import type { HostTensor } from './session.ts';

export type ElementType = HostTensor['type'];

/** ONNX's numbers for element types, and their sizes in bytes. */
const ELEMENT: Record<ElementType, { readonly code: number; readonly bytes: number }> = {
  float32: { code: 1, bytes: 4 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
};

const LOCATION_CPU = 1;

/** Where a tensor's elements begin, in bytes, and its shape. */
interface Place {
  readonly data: number;
  readonly dims: readonly number[];
}

/**
 * A tensor that lives in the engine's heap, ours or one that a run returned. It must be released exactly once; the heap
 * has no collector.
 */
export class HeapTensor {
  readonly handle: number;
  readonly #module: OrtModule;
  /** Set when the elements are ours to free; the engine frees those of its own outputs. */
  readonly #owned: boolean;
  /** Asked of the engine when it is needed: a cache that goes from one step to the next never is. */
  #place: Place | undefined;

  private constructor(module: OrtModule, handle: number, owned: Place | undefined) {
    this.#module = module;
    this.handle = handle;
    this.#owned = owned !== undefined;
    this.#place = owned;
  }

  /** Elements are not initialised. @throws InferenceFailedError when the heap is full */
  static allocate(module: OrtModule, type: ElementType, dims: readonly number[]): HeapTensor {
    const { code, bytes } = ELEMENT[type];
    const size = dims.reduce((product, dim) => product * dim, bytes);
    const data = module._malloc(Math.max(size, 1));
    checkStatus(module, data === 0 ? 1 : 0, 'allocate a tensor');
    const stack = module.stackSave();
    const shape = module.stackAlloc(4 * dims.length);
    int32At(module, shape, dims.length).set(dims);
    const handle = module._OrtCreateTensor(code, data, size, shape, dims.length, LOCATION_CPU);
    module.stackRestore(stack);
    if (handle === 0) {
      module._free(data);
      checkStatus(module, 1, 'create a tensor');
    }
    return new HeapTensor(module, handle, { data, dims });
  }

  /** Takes over a tensor that a run returned. */
  static adopt(module: OrtModule, handle: number): HeapTensor {
    return new HeapTensor(module, handle, undefined);
  }

  /** Byte offset of the elements. @throws InferenceFailedError */
  get data(): number {
    return this.#located().data;
  }

  /** @throws InferenceFailedError */
  get dims(): readonly number[] {
    return this.#located().dims;
  }

  get elements(): number {
    return this.dims.reduce((product, dim) => product * dim, 1);
  }

  float32(): Float32Array {
    return new Float32Array(currentHeap(this.#module).buffer, this.data, this.elements);
  }

  int64(): BigInt64Array {
    return new BigInt64Array(currentHeap(this.#module).buffer, this.data, this.elements);
  }

  bytes(bytesPerElement: number): Uint8Array {
    return new Uint8Array(currentHeap(this.#module).buffer, this.data, this.elements * bytesPerElement);
  }

  /** A new tensor whose first dimension holds the given rows of this one, in that order; rows may repeat. */
  rows(type: ElementType, rows: readonly number[]): HeapTensor {
    const [, ...rest] = this.dims;
    const picked = HeapTensor.allocate(this.#module, type, [rows.length, ...rest]);
    const rowBytes = rest.reduce((product, dim) => product * dim, ELEMENT[type].bytes);
    const heap = currentHeap(this.#module);
    for (let index = 0; index < rows.length; index++) {
      const from = this.data + (rows[index] as number) * rowBytes;
      heap.copyWithin(picked.data + index * rowBytes, from, from + rowBytes);
    }
    return picked;
  }

  #located(): Place {
    this.#place ??= locate(this.#module, this.handle);
    return this.#place;
  }

  release(): void {
    this.#module._OrtReleaseTensor(this.handle);
    if (this.#owned) this.#module._free(this.data);
  }
}

function locate(module: OrtModule, handle: number): Place {
  const stack = module.stackSave();
  try {
    const pointer = module.PTR_SIZE;
    const out = module.stackAlloc(4 * pointer);
    const status = module._OrtGetTensorData(handle, out, out + pointer, out + 2 * pointer, out + 3 * pointer);
    checkStatus(module, status, 'read a tensor');
    const [, data = 0, shape = 0, rank = 0] = uint32At(module, out, 4);
    const dims = Array.from(int32At(module, shape, rank));
    module._OrtFree(shape);
    return { data, dims };
  } finally {
    module.stackRestore(stack);
  }
}

/** The module's heap as it is now: a shared memory that has grown has a new view, and any call renews it. */
export function currentHeap(module: OrtModule): Uint8Array {
  module.getValue(0, 'i8');
  return module.HEAPU8;
}

export function int32At(module: OrtModule, pointer: number, length: number): Int32Array {
  return new Int32Array(currentHeap(module).buffer, pointer, length);
}

export function uint32At(module: OrtModule, pointer: number, length: number): Uint32Array {
  return new Uint32Array(currentHeap(module).buffer, pointer, length);
}
