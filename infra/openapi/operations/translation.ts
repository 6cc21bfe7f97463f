import * as z from 'zod/mini';
import { bodySchema } from '../../../functions/inference/libretranslate-input.ts';
import { batchSchema, detectSchema, translateSchema } from '../../../functions/inference/pipeline-input.ts';
import { deadlines } from '../common.ts';
import { type Body, json, type Operation } from '../operation.ts';
import {
  libreDetections,
  libreLanguages,
  libreTranslation,
  pipelineBatch,
  pipelineDetected,
  pipelineTranslated,
} from '../schemas/translation.ts';

const limited = ['RateLimit', 'RateLimit-Policy'];
const served = ['X-Fallback-Model', ...limited];
const forms = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
const keepAlive = {
  description: 'How long the model is kept after this request, as Ollama has it: seconds, or a duration like `5m`.',
};
const members = {
  q: { description: 'A text, or several.' },
  source: { description: 'A language, or `auto`.', examples: ['en', 'auto'] },
  target: { examples: ['es'] },
  format: { description: '`text` (the default) or `html`.', examples: ['text', 'html'] },
  alternatives: { description: 'How many besides the best.' },
  keep_alive: keepAlive,
  api_key: { description: 'An API key, for clients that send none in a header.' },
};

const failures = [400, 403, 413, 429, 500, 503, 504, 507];

export const libreTranslate: readonly Operation[] = [
  {
    method: 'post',
    path: '/translate',
    tag: 'LibreTranslate',
    summary: 'Translate texts',
    description:
      'As LibreTranslate does. Its words and statuses for failures: 400 where a key is missing, 403 where it is wrong.',
    parameters: deadlines,
    body: {
      schema: bodySchema,
      required: ['q', 'source', 'target'],
      members,
      mediaTypes: forms,
      example: { q: 'Where is the nearest library?', source: 'auto', target: 'es' },
    },
    answers: { 200: json('The translation.', libreTranslation, served) },
    failures,
  },
  {
    method: 'post',
    path: '/detect',
    tag: 'LibreTranslate',
    summary: 'Tell the language of a text',
    parameters: deadlines,
    body: {
      schema: z.pick(bodySchema, { q: true, keep_alive: true, api_key: true }),
      required: ['q'],
      members: { q: members.q, keep_alive: members.keep_alive, api_key: members.api_key },
      mediaTypes: forms,
      example: { q: '¿Dónde está la biblioteca?' },
    },
    answers: { 200: json('Languages that it may be in.', libreDetections, served) },
    failures,
  },
  {
    method: 'get',
    path: '/languages',
    tag: 'LibreTranslate',
    summary: 'List what can be translated into what',
    parameters: deadlines,
    answers: { 200: json('The languages.', libreLanguages, limited) },
    failures: [400, 403, 413, 429, 500, 503, 504],
  },
];

const pipelineFailures = [400, 401, 403, 404, 413, 429, 500, 503, 504, 507];
const options = {
  target_language: { examples: ['es'] },
  source_language: { description: 'Left out, or `auto`: it is found out.', examples: ['en'] },
  model_name: { description: 'A model by its id.' },
  keep_alive: keepAlive,
};

function pipeline(path: string, summary: string, body: Body, answer: Operation['answers'][number]): Operation {
  return {
    method: 'post',
    path: `/pipeline/${path}`,
    tag: 'Pipeline',
    summary,
    parameters: deadlines,
    body,
    answers: { 200: answer },
    failures: pipelineFailures,
  };
}

const mediaTypes = ['application/json'];
const detectBody: Body = {
  schema: detectSchema,
  required: ['text'],
  members: { detailed: { description: 'With other languages that it may be in.' }, keep_alive: keepAlive },
  mediaTypes,
  example: { text: '¿Dónde está la biblioteca?', detailed: true },
};
const detected = json('The language.', pipelineDetected, served);

export const pipelines: readonly Operation[] = [
  pipeline(
    'translate',
    'Translate a text',
    {
      schema: translateSchema,
      required: ['text', 'target_language'],
      members: options,
      mediaTypes,
      example: { text: 'Where is the nearest library?', target_language: 'es' },
    },
    json('The translation.', pipelineTranslated, served),
  ),
  pipeline(
    'translate/batch',
    'Translate several texts',
    {
      schema: batchSchema,
      required: ['texts', 'target_language'],
      members: options,
      mediaTypes,
      example: { texts: ['I need help.', 'Good morning.'], source_language: 'en', target_language: 'es' },
    },
    json('The translations, in the order of the texts.', pipelineBatch, served),
  ),
  pipeline('detect', 'Tell the language of a text', detectBody, detected),
  pipeline('detect-language', 'Tell the language of a text, by its other name', detectBody, detected),
];
