import { type FeaturesFile, featuresMagic } from '../../../shared/runtime/detection/features-file.ts';

/** The tokenizer as a file, in the format that `features-file.ts` describes and reads. */
export function writeFeaturesFile(features: FeaturesFile): Uint8Array {
  const words = Buffer.concat(features.words.flatMap((word) => [word, Uint8Array.of(0)]));
  const { minLength, maxLength, buckets, keptBuckets } = features;
  const header = [minLength, maxLength, buckets, features.words.length, words.length, keptBuckets.length];
  return Buffer.concat([Buffer.from(featuresMagic, 'ascii'), uint32s(header), words, uint32s(keptBuckets)]);
}

function uint32s(values: Iterable<number> & { readonly length: number }): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  let offset = 0;
  for (const value of values) {
    offset = bytes.writeUInt32LE(value, offset);
  }
  return bytes;
}
