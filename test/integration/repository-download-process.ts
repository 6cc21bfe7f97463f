import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DownloadSettings } from '../../shared/config/settings.ts';
import { processState, until } from '../support/process-state.ts';

/** What the child needs to know; the manifest is of version 1.0.0 of the model `child`. */
export interface DownloadWork {
  readonly bucket: string;
  readonly folder: string;
  readonly manifestPath: string;
  readonly settings: DownloadSettings;
}

/** A process of its own that downloads one model: it can really be stopped, continued and killed. */
export class DownloadProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  /** The latest progress that it told. */
  bytesDone = 0;
  /** It told that all files are there. */
  isDone = false;

  constructor(endpoint: string, work: DownloadWork) {
    const program = join(import.meta.dirname, 'repository-download-child.ts');
    this.#child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(work)], {
      env: {
        PATH: process.env['PATH'],
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
      },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#ended = once(this.#child, 'close');
    const { stdout } = this.#child;
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => {
        if (line === 'done') this.isDone = true;
        else this.bytesDone = Number(line);
      });
    }
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves when it stands still. */
  async stop(): Promise<void> {
    const pid = this.#child.pid ?? 0;
    this.#child.kill('SIGSTOP');
    await until(() => this.hasEnded || processState(pid) === 'T');
  }

  continue(): void {
    this.#child.kill('SIGCONT');
  }

  tellThawed(): void {
    // It may just have ended.
    if (this.#child.connected) this.#child.send('thawed', () => undefined);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async end(): Promise<void> {
    await this.#ended;
  }
}
