import { join } from 'node:path';
import { type LocalOptions, type LocalStack, startLocal } from '../../infra/local/local-stack.ts';

const root = join(import.meta.dirname, '..', '..');
const buildFolder = join(root, 'build');

/** The models that come with the project, built by the tests' set-up. */
export const modelFolders: readonly string[] = [
  join(buildFolder, 'models', 'language-detection'),
  join(buildFolder, 'models', 'translate-en-es'),
  join(buildFolder, 'models', 'translate-es-en'),
];

/** The inference function as it is deployed. */
export const inferenceBundle = join(buildFolder, 'functions', 'inference');

/** The whole system as `npm start` starts it, with empty stores and any free ports. */
export function startLocalRun(options: Partial<LocalOptions> = {}): Promise<LocalStack> {
  return startLocal({ buildFolder, modelFolders, ...options });
}

/** Posts JSON and reads the answer. */
export async function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; json: Json }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Json };
}

/** An answer's members, none of them promised. */
export type Json = Readonly<Record<string, unknown>>;

const sentences = { en: 'Where is the library?', es: '¿Dónde está la biblioteca?' } as const;

/** Asks for a sentence in the other of the two languages, with more members of the body or headers. */
export function translate(
  { url }: Pick<LocalStack, 'url'>,
  source: keyof typeof sentences,
  { headers = {}, ...more }: { readonly headers?: Readonly<Record<string, string>> } & Json = {},
) {
  const target = source === 'en' ? 'es' : 'en';
  return postJson(`${url}/translate`, { q: sentences[source], source, target, ...more }, headers);
}
