import { ByteReader } from './byte-reader.ts';

/** A matrix whose rows are products of small centroids: `norm × (centroid of part 0, centroid of part 1, …)`. */
export interface QuantisedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Parts of a row. */
  readonly parts: number;
  /** Columns of a part; all parts are as wide. */
  readonly partWidth: number;
  /** [rows, parts]: which centroid. */
  readonly codes: Uint8Array;
  /** [parts, 256, partWidth]. */
  readonly centroids: Float32Array;
  /** [rows]: which norm. */
  readonly normCodes: Uint8Array;
  /** [256]. */
  readonly norms: Float32Array;
}

/** A supervised fastText classifier with a pruned, quantised input table and a hierarchical softmax: what lid.176.ftz is. */
export interface FastTextModel {
  readonly dimensions: number;
  readonly shortestNgram: number;
  readonly longestNgram: number;
  readonly buckets: number;
  /** UTF-8; a word's row in the input table is its index. */
  readonly words: readonly Uint8Array[];
  /** Most frequent first, without fastText's prefix. */
  readonly labels: readonly { readonly code: string; readonly count: number }[];
  /** The bucket whose n-grams have row `words.length + i`. */
  readonly keptBuckets: Uint32Array;
  readonly input: QuantisedMatrix;
  /** [labels, dimensions]; row i belongs to the i-th inner node of the softmax's tree, the last row to none. */
  readonly output: Float32Array;
}

const magic = 793712314;
const fileVersion = 12;
const labelPrefix = '__label__';
const centroidsPerPart = 256;
const hierarchicalSoftmax = 1;
const supervised = 3;

/** Reads a `.ftz` file. @throws Error that says what is not as in lid.176.ftz, if anything is not. */
export function readFastTextFile(file: Uint8Array): FastTextModel {
  const reader = new ByteReader(file);
  expect(reader.int32() === magic, 'the file is no fastText model');
  expect(reader.int32() === fileVersion, `only file version ${fileVersion} is understood`);
  const settings = readSettings(reader);
  const dictionary = readDictionary(reader);
  expect(reader.boolean(), 'the input table is not quantised');
  const input = readQuantisedMatrix(reader);
  expect(!reader.boolean(), 'the output matrix is quantised');
  const outputRows = reader.int64();
  const outputColumns = reader.int64();
  expect(
    input.rows === dictionary.words.length + dictionary.keptBuckets.length,
    'the table has another number of rows',
  );
  expect(outputRows === dictionary.labels.length, 'the output matrix has another number of rows');
  expect(input.columns === settings.dimensions && outputColumns === settings.dimensions, 'a matrix has another width');
  const output = reader.floats(outputRows * outputColumns);
  expect(reader.remaining === 0, 'something follows the output matrix');
  return { ...settings, ...dictionary, input, output };
}

function readSettings(reader: ByteReader) {
  const dimensions = reader.int32();
  reader.skip(4 * 4); // window, epochs, minimum count, negatives: for training only
  expect(reader.int32() === 1, 'the model has word n-grams');
  expect(reader.int32() === hierarchicalSoftmax, 'the loss is no hierarchical softmax');
  expect(reader.int32() === supervised, 'the model is no classifier');
  const buckets = reader.int32();
  const shortestNgram = reader.int32();
  const longestNgram = reader.int32();
  expect(shortestNgram >= 2, 'n-grams of one character have a rule of their own');
  reader.skip(4 + 8); // learning rate's update, sampling threshold: for training only
  return { dimensions, shortestNgram, longestNgram, buckets };
}

function readDictionary(reader: ByteReader) {
  const size = reader.int32();
  const wordCount = reader.int32();
  expect(size === wordCount + reader.int32(), 'the dictionary has another size than its words and labels');
  reader.skip(8); // tokens seen in training
  const keptCount = reader.int64();
  expect(keptCount > 0, 'the model is not pruned');
  const words: Uint8Array[] = [];
  const labels: { code: string; count: number }[] = [];
  for (let index = 0; index < size; index++) {
    const entry = reader.untilNul();
    const count = reader.int64();
    const isLabel = reader.boolean();
    expect(isLabel === index >= wordCount, 'words and labels are mixed');
    if (isLabel) {
      labels.push({ code: new TextDecoder().decode(entry).slice(labelPrefix.length), count });
    } else {
      words.push(entry);
    }
  }
  const rowOfBucket = new Map<number, number>();
  for (let index = 0; index < keptCount; index++) {
    rowOfBucket.set(reader.int32(), reader.int32());
  }
  const keptBuckets = new Uint32Array(keptCount);
  for (const [bucket, row] of rowOfBucket) {
    keptBuckets[row] = bucket;
  }
  expect(new Set(rowOfBucket.values()).size === keptCount, 'two buckets share a row');
  return { words, labels, keptBuckets };
}

function readQuantisedMatrix(reader: ByteReader): QuantisedMatrix {
  expect(reader.boolean(), 'the norms are not quantised apart');
  const rows = reader.int64();
  const columns = reader.int64();
  const codes = reader.bytes(reader.int32());
  const quantiser = readQuantiser(reader);
  const normCodes = reader.bytes(rows);
  const normQuantiser = readQuantiser(reader);
  const { parts, partWidth, centroids } = quantiser;
  expect(codes.length === rows * parts && columns === parts * partWidth, 'the table has another size than its codes');
  return { rows, columns, parts, partWidth, codes, centroids, normCodes, norms: normQuantiser.centroids };
}

function readQuantiser(reader: ByteReader) {
  const columns = reader.int32();
  const parts = reader.int32();
  const partWidth = reader.int32();
  expect(reader.int32() === partWidth, 'the last part of a row is narrower than the others');
  return { parts, partWidth, centroids: reader.floats(columns * centroidsPerPart) };
}

function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) {
    throw new Error(`cannot convert this fastText model: ${otherwise}`);
  }
}
