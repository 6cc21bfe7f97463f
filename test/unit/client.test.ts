import { describe, expect, expectTypeOf, it } from 'vitest';
import { createClient } from '../../functions/client.ts';
import { matchRoute, routes } from '../../infra/routes.ts';
import { authenticateBy } from '../support/callers.ts';
import { createTestControl } from '../support/control-app.ts';
import { createTestApp } from '../support/inference-app.ts';

const key = 'cslg_alice';
const model = 'translate-en-es';

/** The client over both apps, as the gateway routes to them. */
function service(options: { key?: string } = { key }) {
  const scopes = ['infer', 'admin'] as const;
  const authenticate = authenticateBy({ [key]: { kind: 'valid', subject: 'alice', scopes, limits: {} as never } });
  const apps = { inference: createTestApp({ authenticate }).app, control: createTestControl({ authenticate }).app };
  return createClient('https://translate.example', {
    ...options,
    fetch: (request) => apps[matchRoute(routes, new URL(request.url).pathname)?.function ?? 'control'].fetch(request),
  });
}

describe('the typed client', () => {
  it('translates, and knows what comes back', async () => {
    const { inference } = service();

    const answer = await inference.translate.$post({ json: { q: ['a', 'b'], source: 'en', target: 'es' } });

    const { translatedText } = await answer.json();
    expectTypeOf(translatedText).toEqualTypeOf<string | string[] | undefined>();
    expect(translatedText).toEqual(['A', 'B']);
    const languages = await (await inference.languages.$get()).json();
    expectTypeOf(languages).toEqualTypeOf<{ code: string; name: string; targets: readonly string[] }[]>();
    expect(languages.map(({ code }) => code)).toEqual(['en', 'es']);
  });

  it('speaks to the pipeline', async () => {
    const { inference } = service();

    const answer = await inference.pipeline.translate.$post({ json: { text: 'a', target_language: 'es' } });

    const { data, metadata } = await answer.json();
    expectTypeOf(metadata.model_used).toEqualTypeOf<string | null>();
    expect(data?.translated_text).toBe('A');
  });

  it('has a model pinned, and sees it', async () => {
    const { control } = service();
    const param = { id: model };

    const told = await control.admin.models[':id'].pin.$post({ param, json: { for: '2h' } });
    const seen = await (await control.admin.models[':id'].$get({ param })).json();

    expect(told.status).toBe(202);
    expectTypeOf((await told.json()).seq).toEqualTypeOf<number>();
    expect(seen.wish).toMatchObject({ want: 'pinned', by: 'alice', seq: 1 });
    const breaker = await control.admin.breakers[':name'].$post({
      param: { name: `translate ${model}@1` },
      json: { state: 'open', why: 'a test' },
    });
    expect(await breaker.json()).toMatchObject({ state: 'FORCED_OPEN' });
    expect((await (await control.health.detailed.$get()).json()).breakers).toMatchObject([{ fleet: { epoch: 1 } }]);
  });

  it('sends nothing about who it is where it has no key', async () => {
    expect((await service({}).control.admin.models.$get()).status).toBe(401);
  });

  it('takes no body that the route does not', () => {
    const { inference, control } = service();
    type Pin = Parameters<(typeof control.admin.models)[':id']['pin']['$post']>[0]['json'];
    type Translate = Parameters<typeof inference.translate.$post>[0]['json'];

    expectTypeOf<{ fro: string }>().not.toExtend<Pin>();
    expectTypeOf<{ for: string }>().toExtend<Pin>();
    expectTypeOf<{ q: number; source: string; target: string }>().not.toExtend<Translate>();
    expectTypeOf<{ q: string; source: string; target: string }>().toExtend<Translate>();
  });
});
