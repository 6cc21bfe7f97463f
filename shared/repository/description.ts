import * as z from 'zod/mini';
import {
  classifierSchema,
  fileRoleSchema,
  graphsSchema,
  loadingSchema,
  memorySchema,
  modelIdSchema,
  pairSchema,
  profileSchema,
  promptStyleSchema,
  versionSchema,
} from './manifest-schema.ts';

const common = {
  id: modelIdSchema,
  version: versionSchema,
  engine: z.optional(z.literal('onnxruntime-web')),
  graphs: graphsSchema,
  licence: z.string().check(z.minLength(1)),
  source: z.string().check(z.minLength(1)),
  memory: memorySchema,
  /** Written by `npm run models`: `import` and `profile`. */
  loading: z.optional(loadingSchema),
  profile: z.optional(profileSchema),
  fallback: z.optional(modelIdSchema),
  /** Roles by path, where the file's name does not tell. */
  roles: z.optional(z.record(z.string(), fileRoleSchema)),
};

const translationSchema = z.strictObject({
  ...common,
  task: z.literal('translation'),
  /** The directions; or `languages`, for every direction between them. */
  pairs: z.optional(z.array(pairSchema)),
  languages: z.optional(z.array(z.string())),
  /** What is not said here comes from the model's own configuration. */
  prompt: z.optional(promptStyleSchema),
  generation: z.optional(
    z.strictObject({
      numBeams: z.optional(z.int()),
      maxNewTokens: z.optional(z.int()),
      lengthPenalty: z.optional(z.number()),
    }),
  ),
  maxSourceTokens: z.optional(z.int()),
});

const detectionSchema = z.strictObject({
  ...common,
  task: z.literal('language-detection'),
  languages: z.array(z.string()).check(z.minLength(1)),
  classifier: z.optional(classifierSchema),
  maxSourceTokens: z.optional(z.int()),
});

/** `casalingua.json`: what whoever publishes a model says of it; the rest is read from its files. */
export const descriptionSchema = z.discriminatedUnion('task', [translationSchema, detectionSchema]);

export type Description = z.infer<typeof descriptionSchema>;
export type TranslationDescription = Extract<Description, { task: 'translation' }>;

/** Its name in the folder. */
export const DESCRIPTION = 'casalingua.json';
