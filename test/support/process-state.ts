import { execFileSync } from 'node:child_process';

/** `T` for a stopped process, `S` or `R` for a running one, undefined for none (or one that nobody has buried yet). */
export function processState(pid: number): string | undefined {
  try {
    const state = execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .slice(0, 1);
    return state === '' || state === 'Z' ? undefined : state;
  } catch {
    return undefined;
  }
}

/** Looks again until it holds. @throws after `timeoutMs` */
export async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it did not come about within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
