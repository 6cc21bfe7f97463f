import { Presets, SingleBar } from 'cli-progress';
import type { PublishProgress } from '../../shared/repository/publisher.ts';

/** One bar on standard error for the file that is being sent; nothing where that is not a terminal. */
export function createProgressBar(): { update(progress: PublishProgress): void; stop(): void } {
  const format = '{bar} {percentage}% | {value}/{total} bytes | {file}';
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
