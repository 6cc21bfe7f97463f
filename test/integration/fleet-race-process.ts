import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RaceLine, RaceStart } from './fleet-race-run.ts';

export interface RaceResult {
  readonly me: string;
  /** In the order in which it won them. */
  readonly won: readonly string[];
  readonly lostAnswers: number;
  /** What its log would have. */
  readonly faults: readonly string[];
}

/** Runs a race between processes that begin at the same moment. @throws when one of them does not come to the end */
export async function runRace(
  race: string,
  { racers, endpoint, tableName }: { racers: number; endpoint: string; tableName: string },
): Promise<readonly RaceResult[]> {
  const children = Array.from(
    { length: racers },
    (_, i) => new RaceProcess({ race, me: `racer-${i}`, endpoint, tableName }),
  );
  try {
    await Promise.all(children.map((child) => child.ready));
    for (const child of children) child.go();
    return await Promise.all(children.map((child) => child.result));
  } finally {
    for (const child of children) child.kill();
  }
}

class RaceProcess {
  readonly #child: ChildProcess;
  readonly #won: string[] = [];
  #done: Extract<RaceLine, { kind: 'done' }> | undefined;
  /** Rejects when it ends before it is. */
  readonly ready: Promise<void>;
  readonly result: Promise<RaceResult>;

  constructor(start: RaceStart) {
    const program = join(import.meta.dirname, 'fleet-race-child.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(start)], {
      env: { PATH: process.env['PATH'], AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child = child;
    const { stdout } = child;
    if (stdout === null) throw new Error('nothing to listen to');
    this.result = once(child, 'close').then(([code]) => this.#resultOf(start.me, code));
    this.ready = new Promise((resolve, reject) => {
      this.result.catch(reject);
      createInterface({ input: stdout }).on('line', (text) => {
        const line = JSON.parse(text) as RaceLine;
        if (line.kind === 'ready') resolve();
        else if (line.kind === 'won') this.#won.push(line.prize);
        else this.#done = line;
      });
    });
  }

  go(): void {
    this.#child.send('go');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #resultOf(me: string, code: unknown): RaceResult {
    if (this.#done === undefined) throw new Error(`${me} ended with ${code} before the race did`);
    const { lostAnswers, faults } = this.#done;
    return { me, won: this.#won, lostAnswers, faults };
  }
}
