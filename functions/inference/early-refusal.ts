import { createMiddleware } from 'hono/factory';
import type { Gate } from '../../shared/admission/gate.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { type Manifest, modelKey } from '../../shared/repository/manifest.ts';
import type { TaskInput } from '../../shared/runtime/tasks.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { rememberLast } from './remember-last.ts';

/**
 * Refuses a request before its body is read where no model for the task could serve even the smallest one in time: under
 * overload that is what most requests cost. Needs the request's deadline.
 */
export const refuseEarly = (task: TaskInput['task'], deps: { gate: Gate; catalog: Pick<Catalog, 'models'> }) => {
  const { gate, catalog } = deps;
  const keysOf = rememberLast((manifests: readonly Manifest[]) =>
    manifests.filter((manifest) => manifest.task === task).map(modelKey),
  );
  return createMiddleware<HttpEnv>(async function refuseEarly(c, next) {
    // Where nothing runs nobody is refused, nor waits for the catalog.
    if (gate.isAtWork) {
      const models = await untilAborted(catalog.models(), c.get('signal'));
      const refusal = gate.earlyRefusal(keysOf(models), c.get('deadline'));
      if (refusal !== undefined) throw refusal;
    }
    await next();
  });
};
