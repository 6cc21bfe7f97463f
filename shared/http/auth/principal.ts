import type { CallerLimits } from '../../config/caller-limits.ts';
import { grants, type Scope } from '../../config/scopes.ts';

/** Who asks, as far as it has been shown, and what they may do. */
export type Principal =
  /** By an API key; `subject` is the key's name. */
  | {
      readonly kind: 'key';
      readonly subject: string;
      readonly scopes: readonly Scope[];
      readonly limits: CallerLimits;
    }
  /** By what the gateway has checked: a token's subject, or the ARN of who signed. */
  | { readonly kind: 'gateway'; readonly subject: string; readonly scopes: readonly Scope[] }
  | { readonly kind: 'anonymous'; readonly scopes: readonly Scope[] };

export function mayDo({ scopes }: Principal, needed: Scope): boolean {
  return grants(scopes, needed);
}

/** For logs and for what is written down about an action. */
export function nameOf(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : principal.subject;
}
