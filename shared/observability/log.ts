import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { currentRequest } from './request-scope.ts';

/** What a log line may carry beside its event: plain values, and never a user's text or key. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** Where events go. `event` is a stable dotted name, e.g. `http.request`. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** From which level on lines are written. */
export type LogLevel = 'info' | 'warn' | 'error' | 'silent';

/** What became of models: their states, loads, breakers and memory. Locally these lines go to a file as well. */
export const MODEL_LOGGER = 'casalingua.models';
const GENERAL_LOGGER = 'casalingua';
const modelEvent = /^(?:model|breaker|memory)\./;

/**
 * A log that writes one JSON object per line, by Powertools' logger; `write` gets the line without its line break. A line that
 * belongs to a request has its id, and where there is one its X-Ray trace.
 * @param level what Lambda's own log level forbids is not written either
 */
export function createJsonLog(
  write: (line: string) => void,
  clock: { now(): number },
  { level = 'info' }: { readonly level?: LogLevel } = {},
): Log {
  const logger = new (class extends Logger {
    protected override printLog(_level: number, item: LogItem): void {
      write(JSON.stringify(item.getAttributes()));
    }
  })({ logFormatter: new EventFormatter(clock), logLevel: powertoolsLevel[level] });
  return {
    info: (event, fields = {}) => logger.info(event, fields),
    warn: (event, fields = {}) => logger.warn(event, fields),
    error: (event, fields = {}) => logger.error(event, fields),
  };
}

const powertoolsLevel = { info: 'INFO', warn: 'WARN', error: 'ERROR', silent: 'SILENT' } as const;

/** The lines' form, which alarms and people's queries know. */
class EventFormatter extends LogFormatter {
  readonly #clock: { now(): number };

  constructor(clock: { now(): number }) {
    super();
    this.#clock = clock;
  }

  override formatAttributes({ logLevel, message }: UnformattedAttributes, fields: LogAttributes): LogItem {
    const request = currentRequest();
    return new LogItem({
      attributes: {
        level: logLevel.toLowerCase(),
        time: new Date(this.#clock.now()).toISOString(),
        logger: modelEvent.test(message) ? MODEL_LOGGER : GENERAL_LOGGER,
        event: message,
        ...(request === undefined ? {} : { requestId: request.requestId, traceId: request.traceId }),
        ...fields,
      },
    });
  }
}
