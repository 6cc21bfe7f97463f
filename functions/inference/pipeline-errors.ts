import { CasaLinguaError } from '../../shared/errors.ts';

/** There is no text, or nothing but whitespace. */
export class EmptyTextError extends CasaLinguaError {
  readonly code = 'EMPTY_TEXT';
  readonly retryable = false;
}

/** The text holds nothing that a language could be told by. */
export class TextTooShortError extends CasaLinguaError {
  readonly code = 'TEXT_TOO_SHORT';
  readonly retryable = false;
}

export class MissingTargetLanguageError extends CasaLinguaError {
  readonly code = 'MISSING_TARGET_LANGUAGE';
  readonly retryable = false;
}
