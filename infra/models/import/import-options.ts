import type { Precision } from '../../../shared/repository/hugging-face-layout.ts';
import type { PromptStyle } from '../../../shared/repository/manifest.ts';

/** What whoever imports a model says of it; what is left out is read from the export. */
export interface ImportOptions {
  readonly id?: string;
  /** Default 1.0.0. */
  readonly version?: string;
  readonly licence?: string;
  readonly source?: string;
  readonly pairs?: readonly { readonly source: string; readonly target: string }[];
  /** Every direction between them. */
  readonly languages?: readonly string[];
  readonly prompt?: PromptStyle;
  readonly fallback?: string;
  /** Path of a JSON array of language codes, one for each output of a classifier. */
  readonly labels?: string;
  readonly precision?: Precision;
  /** `false`: the engine's optimiser is not run now but at every load, as it is where a model is too large for it here. */
  readonly optimise?: boolean;
}
