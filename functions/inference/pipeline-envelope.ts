import type { DescribeFailure } from '../../shared/http/app.ts';

/** What every answer of `/pipeline` says of itself. */
export interface PipelineMetadata {
  readonly request_id: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly version: string;
  /** Seconds. */
  readonly process_time: number;
  readonly model_used: string | null;
  /** What was asked for and no model here can honour. */
  readonly ignored?: readonly string[];
}

/** The envelope of a success. */
export function success<Data>(message: string, data: Data, metadata: PipelineMetadata) {
  return { status: 'success', message, data, metadata } as const;
}

/** Whether failures of this path come in the envelope. */
export function isPipelinePath(path: string): boolean {
  return path === '/pipeline' || path.startsWith('/pipeline/');
}

/** The envelope of a failure. The service's own code, where it differs, is told as `details.reason`. */
export const asPipelineFailure: DescribeFailure = (problem, { path, now }) => {
  const code = codeOf(problem.code, problem.status, path);
  return {
    status: problem.status,
    mediaType: 'application/json',
    body: {
      status: 'error',
      message: problem.detail,
      error: {
        code,
        details: {
          ...(code === problem.code ? {} : { reason: problem.code }),
          ...(problem.model === undefined ? {} : { model: problem.model }),
          ...(problem.state === undefined ? {} : { state: problem.state }),
          ...(problem.progress === undefined ? {} : { progress: problem.progress }),
          retryable: problem.retryable,
        },
      },
      metadata: { request_id: problem.requestId, timestamp: new Date(now).toISOString() },
    },
  };
};

/** This surface's name for a failure. */
function codeOf(code: string, status: number, path: string): string {
  if (status === 503) return 'MODEL_UNAVAILABLE';
  if (status === 500) return path.startsWith('/pipeline/detect') ? 'DETECTION_FAILED' : 'TRANSLATION_FAILED';
  return code === 'UNSUPPORTED_LANGUAGE' ? 'INVALID_LANGUAGE' : code;
}
