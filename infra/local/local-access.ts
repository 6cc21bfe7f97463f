import { isIPv4 } from 'node:net';
import { createApiKey, hashOfKey } from '../../shared/fleet/keys/api-key.ts';
import type { KeyStore } from '../../shared/fleet/keys/key-store.ts';

/** What a local run lets anybody do, unless its environment says otherwise: nobody else can reach it. */
export const onLoopback: Readonly<Record<string, string>> = { CASALINGUA_ANONYMOUS_SCOPES: 'infer,read' };

/** Whether only this machine reaches a server that listens there. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || (isIPv4(hostname) && hostname.startsWith('127.'));
}

/** The name of the key that a local run makes for whoever starts it. */
const NAME = 'local';

/**
 * The key for all that a local run's data can be asked for: made once, as nobody can be told it again.
 * @param again whether to replace the one that is there
 * @returns undefined when there is one already
 */
export async function localKey(
  store: KeyStore,
  { again, now }: { readonly again: boolean; readonly now: number },
): Promise<string | undefined> {
  const before = (await store.list()).filter(({ name }) => name === NAME);
  if (before.length > 0 && !again) return undefined;
  const key = createApiKey();
  const scopes = ['infer', 'read', 'admin'] as const;
  const rest = { limits: {}, by: 'local run', createdAt: now, until: undefined, isDisabled: false };
  await store.add({ hash: hashOfKey(key), name: NAME, scopes, ...rest });
  for (const { hash } of before) await store.remove(hash);
  return key;
}
