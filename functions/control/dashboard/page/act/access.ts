import type { AccessDocument } from '../read/documents.ts';

/** What is known of who looks at the page; undefined: nothing yet. */
export type Access = AccessDocument | undefined;

/** Why whoever looks may not act; undefined: they may. */
export function whyMayNotAct(access: Access): string | undefined {
  if (access === undefined) return 'it is not known yet what you may do';
  if (access.scopes.includes('admin')) return undefined;
  return access.caller === 'anonymous'
    ? 'this needs a key with the scope admin'
    : `the key of ${access.caller} may look, not act: this needs the scope admin`;
}

/** For the button that is about the key. */
export function callerInWords(access: Access, hasKey: boolean): string {
  if (access === undefined) return hasKey ? 'Key: not checked yet' : 'Key: none';
  if (access.caller === 'anonymous') return 'Key: none, may look';
  return `${access.caller}: ${access.scopes.includes('admin') ? 'may act' : 'may look'}`;
}
