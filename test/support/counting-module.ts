import type { OrtModule } from '../../shared/runtime/engine/ort-module.ts';

/** What somebody has taken from the engine's heap and not given back. */
export interface Outstanding {
  readonly blocks: number;
  readonly tensors: number;
}

export interface CountingModule {
  readonly module: OrtModule;
  readonly outstanding: () => Outstanding;
  /** How often a graph was run. */
  readonly runs: () => number;
  /** After so many blocks more the heap has room for none. */
  readonly fullAfter: (blocks: number) => void;
}

/** The engine with its books kept: blocks by their malloc and free, tensors by their creation or return and their release. */
export function countingModule(module: OrtModule): CountingModule {
  let room = Number.POSITIVE_INFINITY;
  let blocks = 0;
  let tensors = 0;
  let runs = 0;
  const counting: OrtModule = Object.create(module, {
    _malloc: {
      value: (bytes: number) => {
        if (room-- <= 0) return 0;
        blocks++;
        return module._malloc(bytes);
      },
    },
    _free: {
      value: (pointer: number) => {
        blocks--;
        module._free(pointer);
      },
    },
    _OrtCreateTensor: {
      value: (...given: Parameters<OrtModule['_OrtCreateTensor']>) => {
        tensors++;
        return module._OrtCreateTensor(...given);
      },
    },
    // Whoever runs a graph takes over what it returns.
    _OrtRun: {
      value: (...given: Parameters<OrtModule['_OrtRun']>) => {
        runs++;
        const status = module._OrtRun(...given);
        const [, , , , , outputCount] = given;
        if (status === 0) tensors += outputCount;
        return status;
      },
    },
    _OrtReleaseTensor: {
      value: (tensor: number) => {
        tensors--;
        return module._OrtReleaseTensor(tensor);
      },
    },
  });
  return {
    module: counting,
    outstanding: () => ({ blocks, tensors }),
    runs: () => runs,
    fullAfter: (more) => {
      room = more;
    },
  };
}
