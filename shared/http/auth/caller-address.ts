import { isIPv6 } from 'node:net';
import type { Context } from 'hono';
import type { HttpEnv } from '../environment.ts';

const UNKNOWN = 'unknown';
/** `::ffff:192.0.2.1`, as a socket for both kinds of addresses has it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The network that a request comes from: an IPv4 address, or the /64 of an IPv6 address, all of which one caller can have to itself.
 * @param trustedProxies so many of the last entries of `X-Forwarded-For` were written by proxies of our own; 0: none was, and a
 *   caller may have made it all up
 */
export function callerAddress(c: Context<HttpEnv>, trustedProxies: number): string {
  // There are no bindings at all in an app that is called directly.
  const bindings: HttpEnv['Bindings'] | undefined = c.env;
  const peer = bindings?.requestContext?.http?.sourceIp ?? bindings?.incoming?.socket.remoteAddress;
  return networkOf((trustedProxies > 0 ? forwardedFor(c, trustedProxies) : undefined) ?? peer ?? UNKNOWN);
}

function forwardedFor(c: Context<HttpEnv>, trustedProxies: number): string | undefined {
  const entries = c.req.header('x-forwarded-for')?.split(',') ?? [];
  return entries.at(-trustedProxies)?.trim() || undefined;
}

function networkOf(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
