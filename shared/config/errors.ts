import { CasaLinguaError } from '../errors.ts';

/** The environment holds values that can't be used; the message names every one and what would be right. */
export class SettingsInvalidError extends CasaLinguaError {
  readonly code = 'SETTINGS_INVALID';
  readonly retryable = false;
}
