import { expect, it } from 'vitest';
import { createModelBreakers } from '../../functions/inference/model-breakers.ts';
import { createRunModel } from '../../functions/inference/model-run.ts';
import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import { trip } from '../../shared/fleet/breaker/digest-steps.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { translationManifest } from '../support/fake-catalog.ts';
import { createFakeHost, untilGivenUp } from '../support/fake-host.ts';
import { createTestBreakers } from '../support/fleet-breakers.ts';
import { noRefusals } from '../support/inference-app.ts';
import { createTestGate } from '../support/test-gate.ts';
import { VirtualTable } from '../support/virtual-table.ts';

it('a probe that hangs is ended before its lease is, though its caller would wait, and its model is given back', async () => {
  const name = 'translate translate-en-es@1';
  const time = { now: 1_700_000_000_000 };
  const table = new VirtualTable();
  table.apply(trip(name, { epoch: 0, now: time.now, openMs: 1_000, openings: 1 }));
  const count = countActive([[name]], [], time.now);
  if (count !== undefined) table.apply(count);
  const { breakers } = createTestBreakers({ now: () => time.now, table });
  const host = createFakeHost({ beforeRun: (_, signal) => untilGivenUp(signal) });
  const breakerOf = createModelBreakers(breakers, breakerSettings({ resetMs: 1_000, probeLeaseMs: 100 }));
  const gate = createTestGate();
  const run = createRunModel(host, { news: () => undefined, gate, breakerOf, loads: noRefusals, fairRunMs: 5_000 });
  const manifest = translationManifest('translate-en-es', 'en>es');
  breakerOf(manifest);
  await new Promise<boolean>((resolve) => breakers.look(resolve));
  time.now += 3_000;

  const input = { task: 'translation', texts: ['hello'], source: 'en', target: 'es' } as const;
  const probe = run(manifest, input, { signal: new AbortController().signal });

  await expect(probe).rejects.toBeInstanceOf(DeadlineExceededError);
  expect(host.leasesHeld()).toBe(0);
});
