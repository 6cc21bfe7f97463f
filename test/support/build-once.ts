/** Vitest's global set-up: what the tests run against is built once for the run. */
export async function setup(): Promise<void> {}
