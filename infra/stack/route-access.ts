/**
 * Who may call a route: `anybody`, those that translate (`callers`), or those that run the service (`operators`).
 */
export type Access = 'anybody' | 'callers' | 'operators';

/** Says no more than that the service is alive, and what it can be asked; the pages hold no data. */
const open = [
  '/health',
  '/readiness',
  '/liveness',
  '/openapi.json',
  '/docs',
  '/docs/{proxy+}',
  '/dashboard',
  '/dashboard/{proxy+}',
];
const callers = ['/translate', '/detect', '/languages', '/pipeline/{proxy+}', '/health/{proxy+}'];

/** Whoever adds a route and names it nowhere has added one for operators. */
export function accessTo(path: string): Access {
  if (open.includes(path)) return 'anybody';
  if (callers.includes(path) || path.startsWith('/pipeline/')) return 'callers';
  return 'operators';
}
