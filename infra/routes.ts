/** The functions behind the gateway. */
export type RoutedFunction = 'inference' | 'control';
/** All of them: the monitor is called by a schedule. */
export type FunctionName = RoutedFunction | 'monitor';

export const functionNames: readonly FunctionName[] = ['inference', 'control', 'monitor'];

export interface Route {
  /** As API Gateway has it: exact, or ending in `{proxy+}` for everything below. */
  readonly path: string;
  readonly function: RoutedFunction;
}

/**
 * Which function serves which path; the stack and the local front read the same table. Every route takes any method, so
 * that the app itself answers a wrong one with 405 and its own body.
 */
export const routes: readonly Route[] = [
  { path: '/translate', function: 'inference' },
  { path: '/detect', function: 'inference' },
  { path: '/languages', function: 'inference' },
  { path: '/pipeline/{proxy+}', function: 'inference' },
  { path: '/health', function: 'control' },
  { path: '/health/{proxy+}', function: 'control' },
  { path: '/readiness', function: 'control' },
  { path: '/liveness', function: 'control' },
  { path: '/metrics', function: 'control' },
  { path: '/admin/{proxy+}', function: 'control' },
  { path: '/dashboard', function: 'control' },
  { path: '/dashboard/{proxy+}', function: 'control' },
  { path: '/docs', function: 'control' },
  { path: '/docs/{proxy+}', function: 'control' },
  { path: '/openapi.json', function: 'control' },
];

export interface FunctionSettings {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** What each function is given. A request through the gateway ends after 30 s, so more time would serve nobody. */
export const functionSettings: Readonly<Record<FunctionName, FunctionSettings>> = {
  inference: { timeoutSeconds: 30, memoryMb: 4096 },
  control: { timeoutSeconds: 30, memoryMb: 512 },
  monitor: { timeoutSeconds: 30, memoryMb: 256 },
};

/** Ms from the start of a run on one machine to the monitor's first call. */
export const MONITOR_FIRST_MS = 5_000;

export interface RouteMatch<Name extends string = string> {
  readonly function: Name;
  /** E.g. `ANY /pipeline/{proxy+}`. */
  readonly routeKey: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
}

const PROXY = '{proxy+}';

/** The route that API Gateway would take: an exact one before a greedy one, of those the longest. */
export function matchRoute<Name extends string>(
  table: readonly { readonly path: string; readonly function: Name }[],
  path: string,
): RouteMatch<Name> | undefined {
  const exact = table.find((route) => route.path === path);
  if (exact !== undefined) return { function: exact.function, routeKey: `ANY ${exact.path}` };
  const [greedy] = table
    .filter((route) => route.path.endsWith(PROXY) && isBelow(path, folderOf(route)))
    .toSorted((a, b) => b.path.length - a.path.length);
  if (greedy === undefined) return undefined;
  return {
    function: greedy.function,
    routeKey: `ANY ${greedy.path}`,
    pathParameters: { proxy: path.slice(folderOf(greedy).length) },
  };
}

function folderOf(route: { readonly path: string }): string {
  return route.path.slice(0, -PROXY.length);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder) && path.length > folder.length;
}
