import type * as z from 'zod/mini';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A part of a request or an answer: a schema with a name, or one written here. */
export type Content = z.ZodMiniType | JsonSchema;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly schema: JsonSchema;
}

export interface Body {
  /** Of the validator that reads it. */
  readonly schema: z.ZodMiniType;
  /** Members that must be there, and hold something, though the validator leaves it to the route to say so. */
  readonly required?: readonly string[];
  /** What else is known of a member, by its name. */
  readonly members?: Readonly<Record<string, JsonSchema>>;
  readonly mediaTypes: readonly string[];
  /** Whether the whole body may be left out. @default false */
  readonly isOptional?: boolean;
  readonly example?: unknown;
}

export interface Answer {
  readonly description: string;
  /** By media type; none: there is no body. */
  readonly content?: Readonly<Record<string, Content>>;
  /** Names of the common headers that it may have. */
  readonly headers?: readonly string[];
}

/** One route, as the description has it. */
export interface Operation {
  readonly method: 'get' | 'post';
  /** With `{name}` for what is variable. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of failures. */
  readonly failures: readonly number[];
}

/** An answer in JSON. */
export function json(description: string, schema: Content, headers: readonly string[] = []): Answer {
  return { description, content: { 'application/json': schema }, headers };
}
