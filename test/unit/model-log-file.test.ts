import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelLog } from '../../infra/local/model-log.ts';
import { createJsonLog } from '../../shared/observability/log.ts';

describe('the file of the model log', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-log-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const linesOf = async (name: string) => (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');

  it('has the lines about models, with the instance that wrote them, and no others', async () => {
    const file = openModelLog(join(folder, 'logs'), () => {});
    const log = createJsonLog((line) => file.add(line, 'inference-1'), { now: () => 0 });
    log.info('model.state', { state: 'READY' });
    log.info('http.request', { status: 200 });
    log.error('breaker.state', { state: 'OPEN' });
    file.add('Debugger attached.', 'inference-1');
    await file.close();

    const lines = (await linesOf('logs/models.log')).map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { instance: 'inference-1', event: 'model.state', state: 'READY' },
      { instance: 'inference-1', event: 'breaker.state' },
    ]);
  });

  it('is bounded: a new one at its size, five old ones kept', async () => {
    const file = openModelLog(folder, () => {}, { size: '1K' });
    for (let n = 0; n < 100; n++) {
      createJsonLog((line) => file.add(line), { now: () => 0 }).info('model.state', { n });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await file.close();

    const names = (await readdir(folder)).toSorted();
    expect(names).toEqual(['models.log', 1, 2, 3, 4, 5].map((n) => (n === 'models.log' ? n : `models.log.${n}`)));
    const kept: number[] = [];
    for (const name of names.toReversed()) {
      const lines = await readFile(join(folder, name), 'utf8');
      kept.push(...[...lines.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n)));
    }
    expect(kept[0]).toBeGreaterThan(0);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => 100 - kept.length + n));
  });

  it('that cannot be written is told of once, and ends no run', async () => {
    await writeFile(join(folder, 'taken'), '');
    const reasons: string[] = [];
    const file = openModelLog(join(folder, 'taken', 'logs'), (reason) => reasons.push(reason));
    for (let n = 0; n < 3; n++) file.add('{"logger":"casalingua.models"}');
    await new Promise((resolve) => setTimeout(resolve, 50));
    createJsonLog((line) => file.add(line), { now: () => 0 }).info('model.state');
    await file.close();

    expect(reasons).toHaveLength(1);
  });
});
