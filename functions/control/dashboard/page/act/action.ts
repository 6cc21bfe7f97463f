/** What every instance is to do with a model. */
export interface WishAction {
  readonly kind: 'load' | 'unload' | 'pin' | 'unpin';
  readonly model: string;
}

/** What an operator can do here. */
export type Action =
  | WishAction
  | { readonly kind: 'activate'; readonly model: string }
  | { readonly kind: 'open' | 'closed' | 'release'; readonly breaker: string };

/** An action where it can be chosen. */
export interface Offer {
  readonly action: Action;
  readonly label: string;
  /** Why it cannot be done now; undefined: it can. */
  readonly whyNot: string | undefined;
}

/** What it is done to. */
export function subjectOf(action: Action): string {
  return 'model' in action ? action.model : action.breaker;
}
