/** Whether requests meet in this process: default Lambda gives an instance one at a time, managed instances and everything else do not. */
export function servesManyAtOnce(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['AWS_LAMBDA_FUNCTION_NAME'] === undefined || Number(env['AWS_LAMBDA_MAX_CONCURRENCY'] ?? 1) > 1;
}
