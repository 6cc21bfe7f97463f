import * as z from 'zod/mini';

/** A model's id: the folder under `models/` and the name in every API. */
export const modelIdSchema = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower case letters, digits, . _ -'));

/** A version: immutable once it is published. */
export const versionSchema = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, . _ -'));

/** A file's path inside its version: relative, forward slashes, no way out of the folder. */
const filePathSchema = z
  .string()
  .check(z.regex(/^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._/-]{1,200}$/, 'a relative path'));

export const fileRoleSchema = z.enum([
  'encoder',
  'decoder',
  'classifier',
  /** Weights of the graphs, which name it as their external data: one file of a version at most. */
  'weights',
  'tokenizer',
  'config',
  'labels',
  'other',
]);

const fileSchema = z.object({
  path: filePathSchema,
  /** Bytes. */
  size: z.int().check(z.gte(0)),
  /** Lower case hex. */
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/, '64 lower case hex digits')),
  /** What the runtime uses the file for; `other` is carried along (cards, licences) and not downloaded. */
  role: fileRoleSchema,
});

export const memorySchema = z.object({
  /** MB resident while loading, measured when the version was published. */
  peakMb: z.number().check(z.positive()),
  /** MB resident when READY. */
  residentMb: z.number().check(z.positive()),
});

/** `optimised`: the engine's own optimiser has been over the graphs already, so that a load need not wait for it. */
export const graphsSchema = z._default(z.enum(['exported', 'optimised']), 'exported');

/** How the version is laid out and best loaded. What is left out is as the deployment has it. */
export const loadingSchema = z.object({
  /** In which order the weights lie: that in which the engine asks for them, or that of the graphs' files. */
  order: z.enum(['recorded', 'file']),
  /** Whether the engine keeps weights in the form that its kernels like best, beside the one that was loaded. */
  prepacking: z.optional(z.boolean()),
  /** Threads that a session computes with. */
  threads: z.optional(z.int().check(z.gte(1), z.lte(64))),
  /** The version of onnxruntime-web that asked. */
  recordedWith: z.string(),
});

/** What was measured; for people and for the next profile, no part of the functions reads it. */
export const profileSchema = z.record(z.string(), z.unknown());

const common = {
  schema: z.literal(1),
  id: modelIdSchema,
  version: versionSchema,
  engine: z.literal('onnxruntime-web'),
  graphs: graphsSchema,
  files: z.array(fileSchema).check(z.minLength(1)),
  memory: memorySchema,
  loading: z.optional(loadingSchema),
  profile: z.optional(profileSchema),
  /** SPDX id or a licence's name. */
  licence: z.string().check(z.minLength(1)),
  /** Where the weights come from. */
  source: z.string().check(z.minLength(1)),
  /** The id of the model that serves while this one's circuit breaker is open. */
  fallback: z.optional(modelIdSchema),
};

/** One direction of translation. */
export const pairSchema = z.object({ source: z.string(), target: z.string() });

/** How languages are told to the model; each is one file under `shared/runtime/translation/prompts`. */
export const promptStyleSchema = z.enum(['marian', 'm2m100', 'nllb', 'mbart50']);

const translationSchema = z.object({
  ...common,
  task: z.literal('translation'),
  /** Directions, two-letter codes where there is one. */
  pairs: z.array(pairSchema).check(z.minLength(1)),
  prompt: promptStyleSchema,
  generation: z.object({
    numBeams: z.int().check(z.gte(1), z.lte(16)),
    /** Tokens that an answer may have, the end token included. */
    maxNewTokens: z.int().check(z.gte(1)),
    /** Exponent of the length in a hypothesis's normalised score, as in transformers. */
    lengthPenalty: z.number(),
  }),
  /** Tokens that the encoder takes at most, the end token included. */
  maxSourceTokens: z.int().check(z.gte(4)),
});

/** What kind of model tells languages; left out: `fasttext`. */
export const classifierSchema = z.enum(['fasttext', 'transformer']);

const detectionSchema = z.object({
  ...common,
  task: z.literal('language-detection'),
  classifier: z.optional(classifierSchema),
  /** Tokens that a transformer takes of a text at most, the special ones included. */
  maxSourceTokens: z.optional(z.int().check(z.gte(4))),
  /** Codes that it can answer with. */
  languages: z.array(z.string()).check(z.minLength(1)),
});

/** `models/<id>/<version>/manifest.json`. */
export const manifestSchema = z
  .discriminatedUnion('task', [translationSchema, detectionSchema])
  .check(z.refine(({ id, fallback }) => fallback !== id, { error: 'must be another model', path: ['fallback'] }));
