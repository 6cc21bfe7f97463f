import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noMetrics } from '../../shared/observability/metrics.ts';
import { createStandardOutput, gatherLines } from '../../shared/observability/standard-output.ts';

describe('what a function writes when nobody says otherwise', () => {
  let written: string[];
  beforeEach(() => {
    written = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  });
  afterEach(() => vi.restoreAllMocks());

  it('is a line on standard output for each event, and on Lambda metrics among them, by the stage', () => {
    const env = { AWS_LAMBDA_FUNCTION_NAME: 'f', CASALINGUA_STAGE: 'dev' };
    const { log, metrics, flush } = createStandardOutput(env, 'monitor', 'info');
    log.info('model.state', { state: 'READY' });
    metrics.count('memorySnapshots', {});
    metrics.flush();
    flush();

    expect(written).toHaveLength(1);
    expect(
      (written[0] ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { level: 'info', event: 'model.state', state: 'READY' },
      {
        _aws: { CloudWatchMetrics: [{ Namespace: 'CasaLingua/dev', Dimensions: [['service']] }] },
        service: 'monitor',
        MemorySnapshots: 1,
      },
    ]);
  });

  it('is no metrics elsewhere, and nothing below its level', () => {
    const { log, metrics, flush } = createStandardOutput({}, 'monitor', 'error');
    log.info('model.state');
    flush();
    expect(written).toEqual([]);
    expect(metrics).toBe(noMetrics);
  });
});

describe('gathered lines', () => {
  it('are written together when the step of the event loop is over, and once', async () => {
    const written: string[] = [];
    const { write, flush } = gatherLines((text) => written.push(text));
    write('a');
    await Promise.resolve();
    write('b');
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(['a\nb\n']);

    flush();
    await turn();
    expect(written).toHaveLength(1);
    expect(process.listenerCount('exit', flush)).toBe(0);
  });

  it('are written at the end of a process that has no further step', () => {
    const written: string[] = [];
    const { write, flush } = gatherLines((text) => written.push(text));
    write('last words');
    const [end] = process.listeners('exit').filter((listener) => listener === flush);
    end?.(0);
    expect(written).toEqual(['last words\n']);
  });
});
