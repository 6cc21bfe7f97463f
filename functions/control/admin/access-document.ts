import { nameOf, type Principal } from '../../../shared/http/auth/principal.ts';

/** `GET /admin/access`: who asks, and what they may do, for whoever shows them what they can do. */
export function accessDocument(principal: Principal) {
  return { caller: nameOf(principal), kind: principal.kind, scopes: principal.scopes };
}
