import { type Context, Hono } from 'hono';
import type * as z from 'zod/mini';
import { isForced } from '../../../shared/fleet/breaker/digest-entry.ts';
import { nameOf } from '../../../shared/http/auth/principal.ts';
import { limitBody } from '../../../shared/http/body-limit.ts';
import type { Clock, HttpEnv } from '../../../shared/http/environment.ts';
import { readJson, takes } from '../../../shared/http/validated.ts';
import { timeOf } from '../../../shared/time-document.ts';
import { fleetBreakerDocument } from '../breaker-document.ts';
import type { FleetBreaker } from '../fleet-breakers.ts';
import { accessDocument } from './access-document.ts';
import { adminLanguagesDocument, adminModelDetailDocument, adminModelsDocument } from './admin-documents.ts';
import { activateSchema, forceSchema, readOptional, unpinSchema, wishSchema } from './admin-input.ts';
import type { AdminView } from './admin-view.ts';
import type { DeployedModels } from './deployed-models.ts';
import type { Operator, WishAction } from './operator.ts';

export interface AdminDeps {
  readonly view: AdminView;
  readonly operator: Operator;
  /** The fleet's breakers as of now, and in words what could not be read. Does not reject. */
  readonly breakers: () => Promise<{ readonly breakers: readonly FleetBreaker[]; readonly reasons: readonly string[] }>;
  readonly deployed: DeployedModels;
  readonly clock: Clock;
}

/** Bytes of an operator's body: a version, or some words. */
const BODY_BYTES = 10_000;

/** What operators see and do, under `/admin`. On a fleet a load is a wish, which instances carry out: the answer says where to look. */
export function adminRoutes({ view, operator, breakers, deployed, clock }: AdminDeps) {
  const limited = limitBody(BODY_BYTES);
  const takesWish = takes<z.input<typeof wishSchema> | undefined, z.output<typeof wishSchema>>((c) =>
    readOptional(c, wishSchema),
  );
  const takesNothing = takes<Record<string, never> | undefined, z.output<typeof unpinSchema>>((c) =>
    readOptional(c, unpinSchema),
  );
  const takesVersion = takes<z.input<typeof activateSchema>, z.output<typeof activateSchema>>((c) =>
    readJson(c, activateSchema),
  );
  const takesForce = takes<z.input<typeof forceSchema>, z.output<typeof forceSchema>>((c) => readJson(c, forceSchema));

  const wish = async (c: Context<HttpEnv>, model: string, action: WishAction, forMs: number | undefined) => {
    const { record, announced, woken } = await operator.wish(model, action, { by: nameOf(c.get('principal')), forMs });
    const { want, seq, until } = record;
    const links = linksOf(model);
    c.header('location', links.model);
    return c.json({ model, action, want, seq, until: timeOf(until), announced, woken, links }, 202);
  };

  return new Hono<HttpEnv>()
    .get('/access', (c) => c.json(accessDocument(c.get('principal'))))
    .get('/models', async (c) => c.json(adminModelsDocument(await view.models(), deployed, clock.now())))
    .get('/models/:id', async (c) => {
      const {
        models: [model],
        reasons,
      } = await view.model(c.req.param('id'));
      return c.json(adminModelDetailDocument(model, reasons, deployed, clock.now()));
    })
    .get('/languages', async (c) => c.json(adminLanguagesDocument(await view.models(), clock.now())))
    .post('/models/:id/load', limited, takesWish, (c) => wish(c, c.req.param('id'), 'load', c.req.valid('json').for))
    .post('/models/:id/unload', limited, takesWish, (c) =>
      wish(c, c.req.param('id'), 'unload', c.req.valid('json').for),
    )
    .post('/models/:id/pin', limited, takesWish, (c) => wish(c, c.req.param('id'), 'pin', c.req.valid('json').for))
    .post('/models/:id/unpin', limited, takesNothing, (c) => wish(c, c.req.param('id'), 'unpin', undefined))
    .post('/models/:id/activate', limited, takesVersion, async (c) => {
      const model = c.req.param('id');
      const { version, expected_seq: expectedSeq } = c.req.valid('json');
      const done = await operator.activate(model, { by: nameOf(c.get('principal')), version, expectedSeq });
      const { record, changed, announced, woken } = done;
      const { seq, previous = null } = record;
      const links = linksOf(model);
      c.header('location', links.model);
      return c.json({ model, action: 'activate', version, seq, previous, changed, announced, woken, links }, 202);
    })
    .get('/breakers', async (c) => {
      const seen = await breakers();
      return c.json({
        timestamp: timeOf(clock.now()),
        breakers: seen.breakers.map(fleetBreakerDocument),
        reasons: seen.reasons,
      });
    })
    .post('/breakers/:name', limited, takesForce, async (c) => {
      const breaker = c.req.param('name');
      const request = c.req.valid('json');
      const state = await operator.force(breaker, request, nameOf(c.get('principal')));
      const { by, why, until } = isForced(state) ? state : { by: null, why: null, until: undefined };
      const links = { breakers: '/admin/breakers' };
      c.header('location', links.breakers);
      const { kind, epoch } = state;
      return c.json({ breaker, action: request.state, state: kind, epoch, by, why, until: timeOf(until), links }, 202);
    });
}

function linksOf(model: string) {
  return { model: `/admin/models/${model}`, health: '/health/detailed' };
}
