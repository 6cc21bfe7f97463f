import { activateSchema, forceSchema, unpinSchema, wishSchema } from '../../../functions/control/admin/admin-input.ts';
import { type Body, json, type Operation, type Parameter } from '../operation.ts';
import * as admin from '../schemas/admin.ts';

const tag = 'Admin';
const reading = [401, 403, 429, 500, 503];
const acting = [400, 401, 403, 404, 409, 413, 429, 500, 503];
const mediaTypes = ['application/json'];

const id: Parameter = {
  name: 'id',
  in: 'path',
  description: 'Of a model.',
  schema: { type: 'string', examples: ['translate-en-es'] },
};
const duration = { description: 'How long it stands, like `30m` or `1h30m`; left out: until the next wish.' };
const forSome: Body = {
  schema: wishSchema,
  members: { for: duration },
  mediaTypes,
  isOptional: true,
  example: { for: '2h' },
};

function wish(action: string, summary: string, description: string, body: Body): Operation {
  return {
    method: 'post',
    path: `/admin/models/{id}/${action}`,
    tag,
    summary,
    description,
    parameters: [id],
    body,
    answers: { 202: json('The fleet is told.', admin.wishTold, ['Location']) },
    failures: acting,
  };
}

export const adminOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/admin/access',
    tag,
    summary: 'Who you are here, and what you may do',
    answers: { 200: json('You.', admin.access) },
    failures: reading,
  },
  {
    method: 'get',
    path: '/admin/models',
    tag,
    summary: 'All models: what is active, wanted and held of them',
    answers: { 200: json('The models.', admin.adminModels) },
    failures: reading,
  },
  {
    method: 'get',
    path: '/admin/models/{id}',
    tag,
    summary: 'One model, on each instance',
    parameters: [id],
    answers: { 200: json('The model.', admin.adminModelDetail) },
    failures: [404, ...reading],
  },
  wish('load', 'Have every instance load a model', 'A pinned one stays pinned; its load is tried again.', forSome),
  wish('unload', 'Have every instance unload a model', 'Requests that hold it are served to their end.', forSome),
  wish('pin', 'Have every instance load a model and keep it', 'It is not unloaded, whoever needs room.', forSome),
  wish('unpin', 'Let a pinned model go when nobody needs it', 'It stays loaded until it is idle.', {
    schema: unpinSchema,
    mediaTypes,
    isOptional: true,
    example: {},
  }),
  {
    method: 'post',
    path: '/admin/models/{id}/activate',
    tag,
    summary: 'Have another version of a model served',
    parameters: [id],
    body: {
      schema: activateSchema,
      members: {
        expected_seq: { description: 'The `active.seq` that you have seen; 409 where it is another by now.' },
      },
      mediaTypes,
      example: { version: '1.0.0' },
    },
    answers: { 202: json('It is active.', admin.activationTold, ['Location']) },
    failures: acting,
  },
  {
    method: 'get',
    path: '/admin/languages',
    tag,
    summary: 'Which model translates what',
    answers: { 200: json('The languages.', admin.adminLanguages) },
    failures: reading,
  },
  {
    method: 'get',
    path: '/admin/breakers',
    tag,
    summary: 'The circuit breakers of the fleet',
    answers: { 200: json('The breakers, as of now.', admin.adminBreakers) },
    failures: reading,
  },
  {
    method: 'post',
    path: '/admin/breakers/{name}',
    tag,
    summary: 'Force a circuit breaker open or closed, or take that back',
    parameters: [
      {
        name: 'name',
        in: 'path',
        description: 'Of a breaker of a version of a model, percent-encoded.',
        schema: { type: 'string', examples: ['translate translate-en-es@1.0.0'] },
      },
    ],
    body: {
      schema: forceSchema,
      mediaTypes,
      example: { state: 'open', why: 'bad translations', for: '30m' },
    },
    answers: { 202: json('What it is in now.', admin.breakerTold, ['Location']) },
    failures: acting,
  },
  {
    method: 'get',
    path: '/admin/memory-snapshots',
    tag,
    summary: "The fleet's memory over time",
    parameters: [
      {
        name: 'limit',
        in: 'query',
        description: 'Of how many of the last five minutes; default 48.',
        schema: { type: 'integer', minimum: 1, maximum: 288 },
      },
    ],
    answers: { 200: json('The snapshots.', admin.memorySnapshots) },
    failures: [400, ...reading],
  },
];
