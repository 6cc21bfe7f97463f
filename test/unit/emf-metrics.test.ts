import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emfLines } from '../support/emf-lines.ts';

const minute = 60_000;
const route = { route: '/translate', status: '2xx' };

function stage() {
  const time = { now: 1_767_323_045_678 };
  const emf = emfLines({ now: () => time.now });
  return { ...emf, time };
}

describe('metrics for CloudWatch', () => {
  it('go out in one line where that can be, and not before they are sent', () => {
    const { metrics, lines, sent } = stage();
    metrics.count('requests', route);
    metrics.count('requests', route);
    metrics.observe('requestSeconds', route, 0.25);
    metrics.count('targetTokens', { model: 'a@1' }, 17);
    metrics.count('sourceTokens', { model: 'a@1' }, 12);
    expect(lines).toEqual([]);

    metrics.flush();

    expect(sent()).toEqual([
      ['Requests /translate 2xx', 2],
      ['RequestSeconds /translate 2xx', 0.25],
      ['TargetTokens a@1', 17],
      ['SourceTokens a@1', 12],
    ]);
    expect(lines).toHaveLength(1);
    metrics.flush();
    expect(lines).toHaveLength(1);
  });

  it('say where they belong', () => {
    const { metrics, lines } = stage();
    metrics.count('modelLoads', { model: 'a@1', outcome: 'failed' });
    metrics.flush();

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'CasaLingua/test',
            Dimensions: [
              ['service', 'outcome'],
              ['service', 'model', 'outcome'],
            ],
          },
        ],
      },
      service: 'inference',
    });
  });

  it('leave out what is for Prometheus alone, and what nobody has counted', () => {
    const { metrics, lines } = stage();
    metrics.gauge('breakerOpen', { breaker: 'translate a@1' }, 1);
    metrics.count('coldStarts', { initialization: 'process' }, 0);
    metrics.countTo('admitted', {}, 0);
    metrics.flush();
    expect(lines).toEqual([]);
  });

  it('count what has come to a total since the last time, also when it begins anew', () => {
    const { metrics, sent } = stage();
    for (const total of [5, 5, 7, 2, 3]) {
      metrics.countTo('admitted', {}, total);
      metrics.flush();
    }
    expect(sent().map(([, value]) => value)).toEqual([5, 2, 2, 1]);
  });

  it('take readings with a line that is sent, once in a minute, also after the clock was set back', () => {
    const { metrics, sent, time } = stage();
    let readings = 0;
    metrics.onSample(() => metrics.gauge('leases', {}, ++readings));
    for (const ms of [0, minute - 1, 1, minute - 1, 1, -10 * minute]) {
      time.now += ms;
      metrics.flush();
    }
    expect(sent()).toEqual([1, 2, 3, 4].map((value) => ['Leases', value]));
  });

  it('go out in lines of their own where one cannot tell them apart', () => {
    const { metrics, lines, sent } = stage();
    for (const model of ['a@1', 'b@1']) metrics.count('sourceTokens', { model });
    metrics.count('targetTokens', { model: 'b@1' });
    metrics.flush();

    expect(sent()).toEqual([
      ['SourceTokens a@1', 1],
      ['SourceTokens b@1', 1],
      ['TargetTokens b@1', 1],
    ]);
    expect(lines).toHaveLength(2);
  });

  it('have a name for what has none', () => {
    const { metrics, sent } = stage();
    metrics.count('failures', { code: '' });
    metrics.flush();
    expect(sent()).toEqual([['Failures none', 1]]);
  });

  it('lose no value, however many there are, and hold to the format', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 450, size: 'max' });
    fc.assert(
      fc.property(values, fc.array(fc.constantFrom('a@1', 'b@2', ''), { minLength: 1 }), (seconds, models) => {
        const { metrics, sent } = stage();
        seconds.forEach((value, index) => {
          metrics.observe('serviceSeconds', { model: models[index % models.length] ?? '' }, value);
        });
        metrics.flush();
        expect(
          sent()
            .flatMap(([, value]) => value)
            .toSorted((a, b) => a - b),
        ).toEqual(seconds.toSorted((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });
});
