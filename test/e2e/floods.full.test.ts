import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceReport } from '../bench/overload/service.ts';
import { type FloodedService, startFloodedService } from '../support/flooded-service.ts';

/** Ms that half of the questions for its health may take. 100 is what is wanted of a machine that has nothing else to do. */
const HEALTH_MS = 150;
/** MB that a flood may leave alive. */
const ALIVE_MB = 40;
/** Ms within which a head and a whole request must have come (10 and 30 s), and some in which it is looked at. */
const SLOW_MS = { head: 20_000, request: 45_000 } as const;

const post = (body: string, length = Buffer.byteLength(body)) =>
  `POST /translate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
const wish = (q: string) => JSON.stringify({ q, source: 'en', target: 'es' });
const aMegabyte = wish('I need help. '.repeat(77_000)).slice(0, 999_999);
const noTexts = JSON.stringify({ q: Array.from({ length: 490_000 }, () => 1), source: 'en', target: 'es' });
/** Half a minute of work. */
const hopeless = wish('I need help.\n'.repeat(760));

describe('one process under a flood', () => {
  let service: FloodedService;
  let sockets: Socket[] = [];
  let before: ServiceReport;
  beforeAll(async () => {
    service = await startFloodedService();
    // What only its start needed has gone by then.
    await delay(3_000);
    before = await service.report();
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  });
  afterAll(() => service.close());

  const open = (count: number) => {
    const opened = Array.from({ length: count }, () => service.connect());
    sockets.push(...opened);
    return opened;
  };

  /** What the others see of it, in figures. */
  async function servedMeanwhile(flood: string, durationMs: number, work: () => Promise<unknown>) {
    const [level] = await Promise.all([service.callers(durationMs), work()]);
    const { healthP50Ms, healthP99Ms, goodputPerSecond, offeredPerSecond, statuses } = level;
    const answered = statuses['200'] ?? 0;
    console.info(
      `${flood}: health p50 ${healthP50Ms.toFixed(0)} ms, p99 ${healthP99Ms.toFixed(0)} ms; ${answered} answered,`,
      `${goodputPerSecond.toFixed(1)} of ${offeredPerSecond.toFixed(1)} a second in time`,
    );
    expect(healthP50Ms).toBeLessThan(HEALTH_MS);
    expect(answered).toBeGreaterThan(0);
    return level;
  }

  /** Nothing is left of it. */
  async function recovers(flood: string) {
    for (const socket of sockets) socket.destroy();
    let last = await service.report();
    for (let tries = 0; tries < 60; tries++) {
      const isIdle = last.leases + last.connections + last.admission.inFlight + last.admission.waiting === 0;
      // The bytes of bodies are given back beside the main thread, after the collection that found them.
      if (isIdle && last.aliveMb - before.aliveMb < ALIVE_MB / 2) break;
      await delay(500);
      last = await service.report();
    }
    const inWords = ({ aliveMb, rssMb }: ServiceReport) =>
      `${aliveMb.toFixed(0)} MB alive, ${rssMb.toFixed(0)} MB resident`;
    console.info(`${flood}: ${inWords(last)} after it; before all ${inWords(before)}`);
    expect(last).toMatchObject({ leases: 0, connections: 0, admission: { inFlight: 0, waiting: 0 } });
    expect(last.aliveMb - before.aliveMb).toBeLessThan(ALIVE_MB);
  }

  it('of clients that never finish their request hangs up on each, and serves the others', async () => {
    const heads = open(100);
    const bodies = open(100);
    const started = Date.now();
    const closedAfter = async (slow: readonly Socket[]) => {
      await Promise.all(slow.map((socket) => once(socket, 'close')));
      return Date.now() - started;
    };
    const closed = [closedAfter(heads), closedAfter(bodies)] as const;
    for (const socket of [...heads, ...bodies]) socket.resume();
    for (const socket of heads) socket.write('POST /translate HTTP/1.1\r\nhost: localhost\r\nx-slow: ');
    for (const socket of bodies) socket.write(post('{"q": "', 1000));
    const trickle = setInterval(() => {
      for (const socket of heads) if (socket.writable) socket.write('x');
      for (const socket of bodies) if (socket.writable) socket.write('x');
    }, 1_000);

    await servedMeanwhile('slow clients', 12_000, () => closed[0]);
    const [headsMs, bodiesMs] = await Promise.all(closed);

    clearInterval(trickle);
    console.info(`slow clients: hung up on after ${headsMs} ms in the head, ${bodiesMs} ms in the body`);
    expect(headsMs).toBeGreaterThan(9_000);
    expect(headsMs).toBeLessThan(SLOW_MS.head);
    expect(bodiesMs).toBeLessThan(SLOW_MS.request);
    await recovers('slow clients');
  }, 120_000);

  it('of clients that hang up in the middle of their request is unimpressed', async () => {
    await servedMeanwhile('hung up while sending', 4_000, async () => {
      for (let wave = 0; wave < 10; wave++) {
        for (const socket of open(50)) socket.write(post(wish('I need').slice(0, 10), 100_000), () => socket.destroy());
        await delay(300);
      }
    });

    await recovers('hung up while sending');
  }, 120_000);

  it('of clients that hang up while they are served stops their work', async () => {
    await servedMeanwhile('hung up while served', 6_000, async () => {
      for (let wave = 0; wave < 10; wave++) {
        for (const socket of open(20)) {
          socket.resume();
          socket.write(post(hopeless));
          setTimeout(() => socket.destroy(), 200);
        }
        await delay(500);
      }
    });

    await recovers('hung up while served');
  }, 120_000);

  /** Callers who send this again and again until the time is over. @returns the statuses that were answered */
  async function insist(body: string, callers: number, durationMs: number) {
    const statuses = new Map<string, number>();
    const end = Date.now() + durationMs;
    const insistent = open(callers).map(async (socket) => {
      socket.write(post(body));
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        const answer = chunk.toString('latin1');
        if (!answer.startsWith('HTTP/1.1 ')) continue;
        const status = answer.slice(9, 12);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (Date.now() > end) break;
        socket.write(post(body));
      }
    });
    await Promise.all(insistent);
    return statuses;
  }

  it.each([
    ['bodies of 1 MB', aMegabyte],
    ['bodies of 1 MB of what is no text', noTexts],
    ['bad JSON', '{"q": "Where is the library?", "source": "en", "target'],
  ])(
    'of %s refuses each as what it is',
    async (flood, body) => {
      let statuses = new Map<string, number>();
      await servedMeanwhile(flood, 6_000, async () => {
        statuses = await insist(body, 16, 6_000);
      });

      console.info(flood, Object.fromEntries(statuses));
      expect([...statuses.keys()]).toEqual(['400']);
      await recovers(flood);
    },
    120_000,
  );
});
