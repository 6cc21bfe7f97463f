import { folderBytes } from './model-needs.ts';

const MIB = 1024 * 1024;
/** MB of a function's code without models. Lambda itself takes 250; what is larger starts slower. */
export const MOST_ASSET_MB = 60;

/** MB of a function's code, unpacked. @throws Error when it is more than a function may have */
export function checkedAssetMb(name: string, folder: string, mostMb: number = MOST_ASSET_MB): number {
  const mb = folderBytes(folder) / MIB;
  if (mb > mostMb) throw new Error(`the code of ${name} is ${mb.toFixed(1)} MB unpacked; ${mostMb} MB are allowed`);
  return mb;
}
