import { once } from 'node:events';
import { join } from 'node:path';
import { createStream } from 'rotating-file-stream';
import { MODEL_LOGGER } from '../../shared/observability/log.ts';

/** `logs` of the checkout. */
export const defaultLogFolder = join(import.meta.dirname, '..', '..', 'logs');

/** What became of models, in a file that people can look into after a run. */
export interface ModelLogFile {
  /** Takes any line of any log, and keeps those of the model log. @param instance that wrote it, where there are several */
  add(line: string, instance?: string): void;
  close(): Promise<void>;
}

const member = `"logger":${JSON.stringify(MODEL_LOGGER)}`;

/**
 * `models.log` in this folder, which is made: at `size` it becomes `models.log.1`, and what was that `.2`, up to `.5`. A folder that
 * cannot be written is told to `onError`, once, and ends no run.
 */
export function openModelLog(
  folder: string,
  onError: (reason: string) => void,
  { size = '5M' }: { readonly size?: '5M' | '1K' } = {},
): ModelLogFile {
  const file = createStream('models.log', { path: folder, size, rotate: 5 });
  let isBroken = false;
  file.on('error', ({ message }) => {
    isBroken = true;
    onError(message);
  });
  return {
    add(line, instance) {
      if (isBroken || !line.startsWith('{') || !line.includes(member)) return;
      file.write(`${instance === undefined ? line : `{"instance":${JSON.stringify(instance)},${line.slice(1)}`}\n`);
    },
    async close() {
      if (isBroken) return;
      file.end();
      await once(file, 'close');
    },
  };
}
