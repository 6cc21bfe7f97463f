import { type AccessRule, readingMethods } from '../../shared/http/auth/access-rules.ts';

/** Who may call what of this app; what is named nowhere cannot be called. */
export const controlAccess: readonly AccessRule[] = [
  { path: '/health', needs: 'nothing' },
  { path: '/liveness', needs: 'nothing' },
  { path: '/readiness', needs: 'nothing' },
  { path: '/openapi.json', needs: 'nothing' },
  { path: '/docs', needs: 'nothing' },
  { path: '/docs/*', needs: 'nothing' },
  // The page alone: what it shows it has to ask for, with a key.
  { path: '/dashboard', needs: 'nothing' },
  { path: '/dashboard/*', needs: 'nothing' },
  { path: '/health/*', needs: 'read' },
  { path: '/metrics', needs: 'read' },
  { path: '/admin/*', methods: readingMethods, needs: 'read' },
  { path: '/admin/*', needs: 'admin' },
];
