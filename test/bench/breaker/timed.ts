export interface LoopRequest {
  /** Of each kind. */
  readonly calls: number;
}

export const kinds = ['admitted', 'refused', 'failed'] as const;
/** Ours is what a request meets, a breaker that the fleet shares; `local` is an instance's own alone. */
export const sides = ['ours', 'local', 'cockatiel', 'opossum'] as const;
export type Kind = (typeof kinds)[number];
export type Side = (typeof sides)[number];
/** Of refusals also whose breaker is open. */
export type Decision = 'admitted' | 'refused' | 'refusedForTheFleet' | 'localAdmitted' | 'localRefused';

/** Ns for each call. */
export interface Timed {
  readonly through: Readonly<Record<Kind, Readonly<Record<Side, number>>>>;
  /** The call itself, without a breaker; where it fails, most of it is the throw and the catch of the language. */
  readonly bare: Readonly<Record<'admitted' | 'failed', number>>;
  /** Our decision alone, without the call and its promise; of a refusal with the error for the caller. */
  readonly decision: Readonly<Record<Decision, number>>;
  /** What four breakers do when a request begins, and all is well. */
  readonly wake: number;
}
