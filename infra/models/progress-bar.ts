import { Presets, SingleBar } from 'cli-progress';

/** How far something is of which there is one after the other. */
export interface Progress {
  /** What it is about; another one begins a new bar. */
  readonly file: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** One bar on standard error at a time; nothing where that is not a terminal. */
export function createProgressBar(unit = 'bytes'): { update(progress: Progress): void; stop(): void } {
  const format = `{bar} {percentage}% | {value}/{total} ${unit} | {file}`;
  const bar = new SingleBar({ format, stream: process.stderr, noTTYOutput: false }, Presets.shades_classic);
  let file: string | undefined;
  return {
    update(progress) {
      if (progress.file !== file) {
        bar.stop();
        bar.start(progress.bytesTotal, progress.bytesDone, { file: progress.file });
        file = progress.file;
      }
      bar.update(progress.bytesDone);
    },
    stop: () => bar.stop(),
  };
}
