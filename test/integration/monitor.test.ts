import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FrontNote } from '../../infra/local/front/front.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { modelFolders, postJson, startLocalRun } from '../support/local-run.ts';
import { until } from '../support/process-state.ts';

/** The deployed monitor behind the local front, called on its schedule. */
describe('the monitor', () => {
  const notes: FrontNote[] = [];
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalRun({
      modelFolders: modelFolders.filter((folder) => folder.endsWith('language-detection')),
      instances: { inference: 1 },
      monitorEveryMs: 500,
      onNote: (note) => notes.push(note),
    });
  });
  afterAll(() => stack.close());

  const calls = () => notes.filter((note) => note.type === 'scheduled');
  const told = () =>
    notes.flatMap((note) =>
      note.type === 'output' && note.function === 'monitor' && note.line?.startsWith('{')
        ? [JSON.parse(note.line)]
        : [],
    );
  const tasks = (name: string) => told().filter(({ event, task }) => event === 'monitor.task' && task === name);

  it('is called again and again by itself, in one instance that is frozen in between', async () => {
    // On a slow machine a call may find the only instance at work.
    await until(() => calls().filter(({ outcome }) => outcome === 'response').length >= 3, 20_000);

    expect(calls().filter(({ outcome }) => outcome === 'error')).toEqual([]);
    expect(stack.instances().filter(({ id }) => id.startsWith('monitor'))).toHaveLength(1);
    expect(tasks('fleet-memory')[0]).toMatchObject({ level: 'info', instances: 0, unreadable: 0 });
  });

  it('sees an instance that holds a model', async () => {
    expect((await postJson(`${stack.url}/detect`, { q: 'Where is the library?' })).status).toBe(200);

    await until(() => tasks('fleet-memory').some(({ instances, rssMb }) => instances === 1 && rssMb > 0), 20_000);
    // The breakers before the detection and before its load.
    await until(
      () => tasks('count-active').some(({ instances, breakers }) => instances === 1 && breakers === 2),
      20_000,
    );
  });

  it('fails in no task', () => {
    expect(told().filter(({ level }) => level === 'error')).toEqual([]);
  });
});
