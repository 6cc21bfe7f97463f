import { describe, expect, it } from 'vitest';
import { CasaLinguaError, type ErrorDetails } from '../../shared/errors.ts';
import {
  CannotFitError,
  LoadTimeoutError,
  MemoryShortError,
  MemoryUnreadableError,
  ModelLoadFailedError,
  ModelLoadingError,
  QueueFullError,
} from '../../shared/host/errors.ts';
import { BodyTooLargeError, DeadlineExceededError, MethodNotAllowedError } from '../../shared/http/errors.ts';
import { problemOf, retryAfterOf } from '../../shared/http/problem.ts';
import { FileCorruptError, StoreUnavailableError, UnknownModelError } from '../../shared/repository/errors.ts';
import { InferenceFailedError, UnsupportedLanguageError, WorkerCrashedError } from '../../shared/runtime/errors.ts';

class UnheardOfError extends CasaLinguaError {
  readonly code = 'UNHEARD_OF';
  readonly retryable = true;
}

const loading = (details: ErrorDetails) => new ModelLoadingError('model m is still loading', details);

describe('a problem', () => {
  it.each([
    [new UnsupportedLanguageError('x'), 400],
    [new UnknownModelError('x'), 404],
    [new MethodNotAllowedError(['POST']), 405],
    [new BodyTooLargeError('x'), 413],
    [new QueueFullError('x'), 429],
    [new InferenceFailedError('x'), 500],
    [new WorkerCrashedError('x'), 500],
    [loading({}), 503],
    [new LoadTimeoutError('x'), 503],
    [new MemoryShortError('x'), 503],
    [new MemoryUnreadableError('x'), 503],
    [new FileCorruptError('x'), 503],
    [new StoreUnavailableError('x'), 503],
    [new DeadlineExceededError('x'), 504],
    [new CannotFitError('x'), 507],
    [new UnheardOfError('x'), 500],
  ])('of %s has status %i', (error, status) => {
    expect(problemOf(error)).toMatchObject({ status, code: error.code, retryable: error.retryable });
  });

  it('tells the model, its state and the request, and the message as LibreTranslate clients read it', () => {
    expect(problemOf(loading({ model: 'm', state: 'DOWNLOADING' }), 'r-1')).toEqual({
      type: '/problems/model-loading',
      title: 'The model is still loading',
      status: 503,
      detail: 'model m is still loading',
      error: 'model m is still loading',
      code: 'MODEL_LOADING',
      model: 'm',
      state: 'DOWNLOADING',
      retryable: true,
      requestId: 'r-1',
    });
  });

  it('tells how far the work was when the deadline passed', () => {
    expect(problemOf(new DeadlineExceededError('late', { progress: 0.25 }))).toMatchObject({ progress: 0.25 });
  });

  it('tells nothing of an error that is not ours', () => {
    const problem = problemOf(new TypeError('cannot read "my secret letter"'));

    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL_ERROR', retryable: false });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });
});

describe('Retry-After', () => {
  it.each([
    ['whole seconds, rounded up', loading({ retryAfterSeconds: 3.2 }), '4'],
    ['one second at least', loading({ retryAfterSeconds: 0 }), '1'],
    ['two seconds where nobody knows', loading({}), '2'],
    ['told when the queue is full', new QueueFullError('x', { retryAfterSeconds: 7 }), '7'],
    ['nothing for what can never fit', new CannotFitError('x'), undefined],
    ['nothing for what a retry does not help', new ModelLoadFailedError('x', { retryable: false }), undefined],
    ['nothing with a status other than 429 and 503', new WorkerCrashedError('x'), undefined],
    ['nothing for an error that is not ours', new Error('x'), undefined],
  ])('is %s', (_, error, expected) => {
    expect(retryAfterOf(error)).toBe(expected);
  });
});
