/**
 * What a caller may do. `infer`: translate, detect, ask for languages. `read`: look at health in detail, metrics and what
 * operators look at. `admin`: change it.
 */
export type Scope = 'infer' | 'read' | 'admin';

export const allScopes: readonly Scope[] = ['infer', 'read', 'admin'];

/** Whether who holds these may do what needs that one. Who may change things may look at them; to translate is another matter. */
export function grants(held: readonly Scope[], needed: Scope): boolean {
  return held.includes(needed) || (needed === 'read' && held.includes('admin'));
}

export function isScope(text: string): text is Scope {
  return allScopes.some((scope) => scope === text);
}
