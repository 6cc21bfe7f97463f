import { beforeAll, describe, expect, test } from 'vitest';
import { Gate } from '../../shared/admission/gate.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import {
  createFakeCatalog,
  detectionManifest,
  shippedManifests,
  translationManifest,
} from '../support/fake-catalog.ts';
import { HandLease } from '../support/hand-lease.ts';
import { createTestApp, postJson, testNow } from '../support/inference-app.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));
const translators = shippedManifests.filter(({ task }) => task === 'translation');

/** A gate whose models have runs of 10 ms, each with 100 requests before it. */
async function crowdedGate(manifests: readonly Manifest[]): Promise<Gate> {
  const gate = new Gate({
    settings: admissionSettings(),
    servesMany: false,
    clock: { now: () => testNow },
    random: () => 0,
    after: () => undefined,
  });
  for (const manifest of manifests) {
    const lease = new HandLease();
    const input =
      manifest.task === 'translation'
        ? ({ task: 'translation', texts: ['hello'], source: 'en', target: 'es' } as const)
        : ({ task: 'language-detection', texts: ['hello'] } as const);
    const ask = () => {
      const { signal } = new AbortController();
      const ride = gate.enter({
        manifest,
        input,
        isLoaded: true,
        priority: 'interactive',
        deadline: undefined,
        signal,
      });
      void ride.run(lease, (run) => run(signal));
    };
    for (let run = 0; run < 10; run++) {
      ask();
      await settle();
      lease.runs[run]?.end();
      await settle();
    }
    for (let request = 0; request < 100; request++) ask();
  }
  await settle();
  return gate;
}

/** A body that tells whether anybody read it. */
function watchedBody() {
  const watched = { isRead: false };
  const body = new ReadableStream(
    {
      pull(controller) {
        watched.isRead = true;
        controller.enqueue(new TextEncoder().encode('{"q": "hello", "source": "en", "target": "es"}'));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { watched, body };
}

describe('where no model could be through in time', () => {
  let gate: Gate;
  beforeAll(async () => {
    gate = await crowdedGate(translators);
  });
  const request = (path: string, deadlineMs: number) => {
    const { app } = createTestApp({ gate });
    const { watched, body } = watchedBody();
    const headers = { 'content-type': 'application/json', 'x-request-deadline-ms': String(deadlineMs) };
    const response = app.request(new Request(`http://host${path}`, { method: 'POST', headers, body, duplex: 'half' }));
    return { response, watched };
  };

  test.each(['/translate', '/pipeline/translate', '/pipeline/translate/batch'])(
    'POST %s is refused before its body is read',
    async (path) => {
      const { response, watched } = request(path, 500);

      expect((await response).status).toBe(429);
      expect(Number((await response).headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(JSON.stringify(await (await response).json())).toContain('OVERLOADED');
      expect(watched.isRead).toBe(false);
    },
  );

  test.each(['/detect', '/pipeline/detect', '/pipeline/detect-language'])("%s is another model's", async (path) => {
    const { app } = createTestApp({ gate });

    expect((await postJson(app, path, { q: 'hello', text: 'hello' }, { 'x-request-deadline-ms': '500' })).status).toBe(
      200,
    );
  });

  test('who has the time is served, who has none left is told that, and the languages are told to all', async () => {
    const { response, watched } = request('/translate', 60_000);
    // It waits behind the hundred.
    await settle();
    expect(watched.isRead).toBe(true);
    void response;
    expect((await request('/translate', 0).response).status).toBe(504);
    const { app } = createTestApp({ gate });
    expect((await app.request('/languages', { headers: { 'x-request-deadline-ms': '500' } })).status).toBe(200);
  });
});

test.each(['/detect', '/pipeline/detect', '/pipeline/detect-language'])(
  '%s is refused as well where it is its model',
  async (path) => {
    const { app } = createTestApp({ gate: await crowdedGate([detectionManifest]) });

    const { status } = await postJson(app, path, { q: 'hello', text: 'hello' }, { 'x-request-deadline-ms': '500' });

    expect(status).toBe(429);
  },
);

test('nobody is, nor waits for the catalog, where one model is free or none runs', async () => {
  const [first] = translators;
  const half = await crowdedGate(first === undefined ? [] : [first]);
  expect(half.earlyRefusal(['translate-en-es@1', 'translate-es-en@1'], testNow + 500)).toBeUndefined();

  const catalog = { ...createFakeCatalog([translationManifest('translate-en-es', 'en>es')]) };
  let asked = 0;
  const counting = { ...catalog, models: () => catalog.models().finally(() => asked++) };
  const { app } = createTestApp({ catalog: counting });
  expect((await postJson(app, '/translate', { q: 'hello', source: 'en', target: 'es' })).status).toBe(200);
  expect(asked).toBe(1);
});
