import * as z from 'zod/mini';
import { checkConfigFile } from './check-config-file.ts';
import type { Checks } from './checks.ts';
import { MODEL_ID } from './model-id.ts';
import { allScopes } from './scopes.ts';
import { readSectionVariables } from './section-variables.ts';
import type { Read } from './variables.ts';

export const schemaChecks: Checks = {
  pins(text) {
    const version = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/));
    const schema = z.record(modelId(), z.object({ version, hard: z._default(z.boolean(), false) }));
    return read(schema, text, 'JSON like {"translate-en-es":{"version":"1.0.0","hard":false}}');
  },
  fallbacks(text) {
    const schema = z
      .record(modelId(), modelId())
      .check(z.refine((names) => Object.entries(names).every(([model, fallback]) => model !== fallback)));
    return read(schema, text, 'JSON like {"translate-en-es":"translate-en-es-small"}, each with another model');
  },
  jwtScopes(text) {
    const form = 'JSON like {"casalingua/infer":"infer"}, from a token\'s scope to infer, read or admin';
    return read(z.record(z.string(), z.enum(allScopes)), text, form);
  },
  file: checkConfigFile,
  section: readSectionVariables,
};

function modelId() {
  return z.string().check(z.regex(MODEL_ID));
}

/** It is told as a whole what a variable must be, rather than where inside it failed. */
function read<Value>(schema: z.ZodMiniType<Value>, text: string, form: string): Read<Value> {
  const result = schema.safeParse(parseJson(text));
  return result.success ? { value: result.data } : { wrong: form };
}

/** Anything that isn't JSON fails the check that follows. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
