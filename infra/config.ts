import * as z from 'zod';
import { MODEL_ID } from '../shared/config/model-id.ts';
import { allScopes } from '../shared/config/scopes.ts';
import { matchRoute, routes } from './routes.ts';

/** MB that Lambda gives a function: memory, and disk under `/tmp`. */
const MEMORY_MB = { least: 128, most: 10_240 } as const;
const DISK_MB = { least: 512, most: 10_240 } as const;
/** MB of `/tmp` that stay free beside the cache of models. */
const DISK_SPARE_MB = 128;

const modelId = z.string().regex(MODEL_ID, 'lower case letters, digits, . _ -');
const memoryMb = z.int().min(MEMORY_MB.least).max(MEMORY_MB.most);
const perSecond = z.strictObject({
  /** Requests a second that are let through on and on. */
  rate: z.number().positive(),
  /** Requests that may come at once. */
  burst: z.int().positive(),
});

const authorizer = z.discriminatedUnion('kind', [
  /** The functions themselves, by API keys: the gateway lets everybody through to them. */
  z.strictObject({ kind: z.literal('keys') }),
  z.strictObject({ kind: z.literal('iam') }),
  z.strictObject({
    kind: z.literal('jwt'),
    issuer: z.url({ protocol: /^https$/ }),
    audience: z.array(z.string().min(1)).min(1),
    /** Of which the token must have one; empty: none is asked for. */
    scopes: z.array(z.string().min(1)).default([]),
    /** What a token's scopes allow in the functions, by their names. @default - `casalingua/infer` and so on */
    allows: z.record(z.string().min(1), z.enum(allScopes)).optional(),
  }),
]);

const capacity = z
  .strictObject({ min: z.int().min(0), max: z.int().min(1) })
  .refine(({ min, max }) => min <= max, 'min must not be above max');

const provisioned = z
  .strictObject({
    min: z.int().min(1),
    max: z.int().min(1),
    /** Part of the provisioned instances in use that autoscaling aims at. */
    utilisationPercent: z.int().min(10).max(90).default(70),
    /** Other bounds from a time on, e.g. in the morning. */
    schedules: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z][a-z0-9-]*$/),
          /** E.g. `cron(0 7 ? * MON-FRI *)`. */
          cron: z.string().regex(/^cron\(\S+( \S+){5}\)$/, 'cron(minute hour day month weekday year)'),
          /** E.g. `Europe/Berlin`. */
          timeZone: z.string().default('Etc/UTC'),
          capacity,
        }),
      )
      .default([]),
  })
  .refine(({ min, max }) => min <= max, 'min must not be above max');

const group = z.strictObject({
  memoryMb,
  /** Disk for model files; `/tmp` is made larger by what else needs room. */
  cacheMb: z
    .int()
    .min(64)
    .max(DISK_MB.most - DISK_SPARE_MB),
  /** Ids that it serves; `all`: whatever is published, which it has to list the bucket for. */
  models: z.union([z.literal('all'), z.array(modelId).min(1)]),
  /** Ids that are loaded at start and stay. */
  preload: z.array(modelId).default([]),
  /** Paths that it serves: of the route table's inference routes, or exact ones below their greedy ones. */
  routes: z.array(z.string()).min(1),
  provisioned: provisioned.optional(),
  /** Instances at most, which no other function can take away. */
  reservedConcurrency: z.int().min(1).optional(),
  /** More of docs/configuration.md, e.g. `CASALINGUA_NUM_BEAMS`. */
  environment: z.record(z.string().regex(/^CASALINGUA_[A-Z_]+$/), z.string()).default({}),
});

const modelNeeds = z.strictObject({
  /** MB resident while it loads, of its manifest. */
  peakMb: z.number().positive(),
  /** MB resident when it is READY, of its manifest. */
  residentMb: z.number().positive(),
  /** MB of its files. */
  filesMb: z.number().positive(),
});

const schema = z
  .strictObject({
    stage: z.enum(['dev', 'staging', 'production']),
    architecture: z.enum(['arm64', 'x86_64']).default('arm64'),
    /** The region that it is for. @default - that of the command line's credentials */
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region, e.g. eu-central-1')
      .optional(),
    /** Functions of the inference bundle, by name. */
    groups: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/), group),
    control: z.strictObject({ memoryMb }),
    monitor: z.strictObject({ memoryMb }),
    /** Models that do not come with the project, with their manifests' figures. */
    models: z.record(modelId, modelNeeds).default({}),
    /** By what is told who calls: `callers` translate and look at health in detail, `operators` use `/admin` and `/metrics`. */
    authorization: z.strictObject({ callers: authorizer, operators: authorizer }),
    /** What one caller may ask for in a minute, unless its key has limits of its own; left out: no limit. */
    callerLimits: z
      .strictObject({
        requestsPerMinute: z.int().positive().optional(),
        charactersPerMinute: z.int().positive().optional(),
      })
      .default({}),
    throttling: z.strictObject({ everywhere: perSecond, routes: z.record(z.string(), perSecond).default({}) }),
    /** Origins that browsers may call from; empty: CORS is off. */
    corsOrigins: z.array(z.string().regex(/^(\*|https?:\/\/[^/]+)$/, '* or a scheme and a host')).default([]),
    /** Days for which logs are kept. */
    logRetentionDays: z.union([z.literal(7), z.literal(14), z.literal(30), z.literal(90), z.literal(365)]),
    /** Whether table, bucket and logs outlive the stack, and the table cannot be deleted. */
    keepData: z.boolean(),
    /** `aws`: keys of AWS. `customer-key`: one of the account's own, for which the table has to know its region. */
    encryption: z.enum(['aws', 'customer-key']).default('aws'),
    deployment: z.enum(['all-at-once', 'canary']),
    alarms: z.strictObject({
      /** Addresses that are told. */
      emails: z.array(z.email()).default([]),
      /** Share of answers with 5xx. */
      serverErrorPercent: z.number().positive().max(100),
      /** Ms that 99 of 100 requests may take at most, by path; the gateway's own time included. */
      p99Ms: z.record(z.string(), z.int().positive()),
      /** Share of a function's memory. */
      memoryPercent: z.number().positive().max(100),
    }),
    /** A monthly budget in US dollars of all that has this project's tag, told to the alarms' addresses. */
    monthlyBudgetUsd: z.number().positive().optional(),
  })
  .superRefine((config, context) => {
    for (const { path, message } of contradictions(config))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

export type StageName = z.infer<typeof schema>['stage'];
export type StageConfig = z.output<typeof schema>;
/** A stage as it is written down, before defaults. */
export type StageInput = z.input<typeof schema>;
export type GroupConfig = StageConfig['groups'][string];
export type ProvisionedConfig = NonNullable<GroupConfig['provisioned']>;
export type AuthorizerConfig = StageConfig['authorization']['callers'];
export type ModelNeeds = z.infer<typeof modelNeeds>;

/** A stage's configuration is wrong; the message names everything that is, where it stands and what would be right. */
export class StageConfigError extends Error {
  override readonly name = 'StageConfigError';
}

/** Checks what is written down for a stage, and puts in the defaults. @throws StageConfigError */
export function checkStageConfig(input: unknown): StageConfig {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.') || 'the stage'}: ${message}`);
  throw new StageConfigError(wrong.join('; '));
}

/** MB of `/tmp` for a cache of that many. */
export function diskMbFor(cacheMb: number): number {
  return Math.max(DISK_MB.least, cacheMb + DISK_SPARE_MB);
}

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function contradictions(config: StageConfig): readonly Contradiction[] {
  const { alarms, encryption, monthlyBudgetUsd, region, throttling } = config;
  return [
    ...Object.entries(config.groups).flatMap(([name, one]) => groupContradictions(name, one)),
    ...unservedRoutes(config),
    ...Object.keys(throttling.routes)
      .filter((path) => !isRouted(config, path))
      .map((path) => ({ path: ['throttling', 'routes', path], message: 'is not a route' })),
    ...Object.keys(alarms.p99Ms)
      .filter((path) => !isRouted(config, path))
      .map((path) => ({ path: ['alarms', 'p99Ms', path], message: 'is not a route' })),
    ...(encryption === 'customer-key' && region === undefined
      ? [{ path: ['region'], message: 'must be given with a customer-key' }]
      : []),
    ...(monthlyBudgetUsd !== undefined && alarms.emails.length === 0
      ? [{ path: ['monthlyBudgetUsd'], message: 'needs somebody to tell: name alarms.emails' }]
      : []),
  ];
}

function groupContradictions(name: string, one: GroupConfig): readonly Contradiction[] {
  const at = (...path: string[]) => ['groups', name, ...path];
  const found: Contradiction[] = [];
  if (name === 'control' || name === 'monitor') found.push({ path: at(), message: 'is the name of another function' });
  const served = one.models;
  const strangers = served === 'all' ? [] : one.preload.filter((id) => !served.includes(id));
  if (strangers.length > 0) {
    found.push({ path: at('preload'), message: `names models that the group does not serve: ${strangers.join(', ')}` });
  }
  const strays = one.routes.filter((path) => matchRoute(routes, path)?.function !== 'inference');
  if (strays.length > 0) found.push({ path: at('routes'), message: `are not inference routes: ${strays.join(', ')}` });
  const most = Math.max(0, one.provisioned?.max ?? 0, ...(one.provisioned?.schedules ?? []).map((s) => s.capacity.max));
  if (one.reservedConcurrency !== undefined && one.reservedConcurrency < most) {
    found.push({ path: at('reservedConcurrency'), message: `must be at least the ${most} that are provisioned` });
  }
  return found;
}

/** Each inference route of the table, and each path that a group names, has exactly one group. */
function unservedRoutes(config: StageConfig): readonly Contradiction[] {
  const named = Object.values(config.groups).flatMap((one) => one.routes);
  const needed = routes.filter((route) => route.function === 'inference').map((route) => route.path);
  return [...new Set([...needed, ...named])].flatMap((path) => {
    const count = named.filter((other) => other === path).length;
    return count === 1 ? [] : [{ path: ['groups'], message: `${path} must be served by one group, not ${count}` }];
  });
}

function isRouted(config: StageConfig, path: string): boolean {
  return (
    routes.some((route) => route.path === path) || Object.values(config.groups).some((one) => one.routes.includes(path))
  );
}
