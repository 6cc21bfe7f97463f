import type { AccessRule } from '../../shared/http/auth/access-rules.ts';
import { readApiKey } from './libretranslate-input.ts';

/** Who may call what of this app; what is named nowhere cannot be called. */
export const inferenceAccess: readonly AccessRule[] = [
  { path: '/translate', needs: 'infer', keyIn: readApiKey },
  { path: '/detect', needs: 'infer', keyIn: readApiKey },
  // As LibreTranslate: its clients ask for the languages before they have a key.
  { path: '/languages', needs: 'nothing' },
  { path: '/pipeline/*', needs: 'infer' },
  { path: '/instance/*', needs: 'read' },
];
