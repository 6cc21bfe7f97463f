/** `counter` only grows, `gauge` is a reading, of a `distribution` each value counts. */
export type MetricKind = 'counter' | 'gauge' | 'distribution';

/** CloudWatch's words; names in Prometheus end in them. */
export type MetricUnit = 'Count' | 'Seconds' | 'Bytes' | 'Percent' | 'None';

export interface MetricDefinition<Kind extends MetricKind = MetricKind> {
  readonly kind: Kind;
  readonly unit: MetricUnit;
  /** What tells one series from another; each value must be one of a few. */
  readonly dimensions: readonly string[];
  /**
   * The series that CloudWatch keeps, by the dimensions of each; it cannot add series up by itself. Every series has the
   * dimension `service` besides. None: CloudWatch does not get it.
   */
  readonly series: readonly (readonly string[])[];
  /** Upper ends of a distribution's buckets, for Prometheus. */
  readonly buckets: readonly number[];
  readonly help: string;
}

interface Options<Dimension extends string> {
  readonly unit?: MetricUnit;
  readonly dimensions?: readonly Dimension[];
  /** @default - one by all dimensions */
  readonly series?: readonly (readonly NoInfer<Dimension>[])[];
  readonly buckets?: readonly number[];
}

function define<Kind extends MetricKind>(kind: Kind, usual: MetricUnit) {
  return <const Dimension extends string = never>(help: string, options: Options<Dimension> = {}) => {
    const { unit = usual, dimensions = [], buckets = [] } = options;
    return { kind, unit, dimensions, series: options.series ?? [dimensions], buckets, help };
  };
}

const counter = define('counter', 'Count');
const gauge = define('gauge', 'None');
const distribution = define('distribution', 'Seconds');

/** Of requests and runs, in seconds. */
const short = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Of loads, in seconds. */
const long = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/**
 * Every metric there is. In CloudWatch a name begins with a capital (`modelLoads` is `ModelLoads`), in Prometheus it is
 * `casalingua_model_loads_total`. One that is read from the instances' snapshots has the dimension `instance`.
 */
export const catalogue = {
  requests: counter('Answers, by route and class of status (`2xx`)', {
    dimensions: ['route', 'status'],
  }),
  requestSeconds: distribution('From the first byte to the answer', {
    dimensions: ['route', 'status'],
    buckets: short,
  }),
  failures: counter('Answers with a failure, by its code', { dimensions: ['code'] }),
  coldStarts: counter('Starts of an instance, by how it was initialised', { dimensions: ['initialization'] }),
  serviceSeconds: distribution("A run in its model's thread; of a batch the whole", {
    dimensions: ['model'],
    buckets: short,
  }),
  sourceTokens: counter('Tokens of texts that were translated', { dimensions: ['model'] }),
  targetTokens: counter('Tokens of translations', { dimensions: ['model'] }),

  modelLoads: counter(
    'Attempts to load, by what became of them: `ready`, `retried`, `failed`, `put_back`, `cancelled`',
    {
      dimensions: ['model', 'outcome'],
      series: [['outcome'], ['model', 'outcome']],
    },
  ),
  loadSeconds: distribution(
    'Phases of loads: `queue` (which has `permit` in it), `permit`, `download`, `initialize`, `warm`',
    {
      dimensions: ['phase'],
      buckets: long,
    },
  ),
  downloadedBytes: counter('Bytes of models that came from S3', { unit: 'Bytes', dimensions: ['model'] }),
  modelFailures: counter('Models that FAILED (`load`), whose threads died (`crash`) or did not end (`lost`)', {
    dimensions: ['model', 'failure'],
    series: [[], ['model', 'failure']],
  }),
  modelUnloads: counter(
    'Models that were drained, by cause: `idle`, `keep_alive`, `released`, `room` and `memory` (evictions), `unload`, `replaced`',
    { dimensions: ['cause'] },
  ),
  breakerTransitions: counter('Steps of circuit breakers, by the state that was entered', {
    dimensions: ['breaker', 'state'],
    series: [['state'], ['breaker', 'state']],
  }),
  permitGrants: counter('Load permits: `permit`, or `store away` where a load began without one', {
    dimensions: ['grant'],
  }),
  sheds: counter('Requests that the gate of admission refused', { dimensions: ['reason'] }),
  admitted: counter('Requests that the gate of admission let in'),
  deadlineMisses: counter('Of these, those whose deadline passed'),
  batchedRequests: counter('Requests that shared a run with others'),

  modelsReady: gauge('Models that are READY', { unit: 'Count' }),
  modelsLoading: gauge('Models whose load is on its way', { unit: 'Count' }),
  modelMemoryBytes: gauge('Memory of a model: reserved while it loads, measured once it is READY', {
    unit: 'Bytes',
    dimensions: ['model'],
  }),
  wasmHeapBytes: gauge('WebAssembly heap of a model when it became READY', { unit: 'Bytes', dimensions: ['model'] }),
  leases: gauge('Requests that hold a model', { unit: 'Count' }),
  loadQueue: gauge('Models that wait for their load to begin', { unit: 'Count' }),
  residentBytes: gauge('Resident memory of the process', { unit: 'Bytes' }),
  heapBytes: gauge('V8 heap in use', { unit: 'Bytes' }),
  externalBytes: gauge('Memory of V8 objects outside its heap', { unit: 'Bytes' }),
  reservedBytes: gauge('Memory of all models', { unit: 'Bytes' }),
  budgetBytes: gauge('Memory that models may take together', { unit: 'Bytes' }),
  breakerOpen: gauge('1 while a circuit breaker is OPEN, 0.5 while it is HALF_OPEN or in its ramp, 0 otherwise', {
    dimensions: ['breaker'],
    series: [],
  }),
  permitsHeld: gauge('Load permits that are held', { unit: 'Count' }),
  permitsSought: gauge('Load permits that are waited for', { unit: 'Count' }),
  admissionInFlight: gauge('Requests that the gate of admission has let in', { unit: 'Count' }),
  admissionWaiting: gauge('Requests that wait at the gate of admission', { unit: 'Count' }),
  queueDelaySeconds: gauge('What a request waits for its turn at present', { unit: 'Seconds' }),
  storeCalls: counter("Calls to the fleet's table, by what came of them: `answered`, `unavailable`, `failed`", {
    dimensions: ['outcome'],
  }),
  storeRetries: counter(
    'Attempts after one that failed, by store (`s3`, `dynamo`): `made`, or `refused` by the retry budget',
    {
      dimensions: ['store', 'outcome'],
    },
  ),
  snapshotsDropped: counter('Snapshots of this instance that could not be written'),

  monitorTasks: counter('Tasks of the monitor, by what came of them: `ok`, `failed`', {
    dimensions: ['task', 'outcome'],
    series: [['outcome'], ['task', 'outcome']],
  }),
  memorySnapshots: counter("Runs of the monitor after which the fleet's memory snapshot is in the bucket"),
  fleetInstances: gauge('Live instances', { unit: 'Count' }),
  fleetResidentBytes: gauge('Resident memory of all live instances', { unit: 'Bytes' }),
  fleetReservedBytes: gauge('Memory of all models on live instances', { unit: 'Bytes' }),
  fleetLimitBytes: gauge('Memory that live instances may use', { unit: 'Bytes' }),

  instanceUp: gauge('1 while an instance was heard of lately, 0 while it is stale', {
    dimensions: ['instance'],
    series: [],
  }),
  instanceRequests: counter('Requests since the start of an instance', { dimensions: ['instance'], series: [] }),
  instanceFailures: counter('Of these, answers with 5xx', { dimensions: ['instance'], series: [] }),
  instanceSheds: counter('Of these, those that were shed', { dimensions: ['instance'], series: [] }),
  instanceTokens: counter('Tokens of translations since the start of an instance', {
    dimensions: ['instance'],
    series: [],
  }),
  instanceLoads: counter('Models that came to READY since the start of an instance', {
    dimensions: ['instance'],
    series: [],
  }),
  instanceEvictions: counter('Models that went to make room', { dimensions: ['instance'], series: [] }),
  instanceInFlight: gauge('Requests under way', { unit: 'Count', dimensions: ['instance'], series: [] }),
  instanceServiceSeconds: gauge('Service time, lately', {
    unit: 'Seconds',
    dimensions: ['instance', 'quantile'],
    series: [],
  }),
  instanceQueueSize: gauge('Models that wait for their load to begin', {
    unit: 'Count',
    dimensions: ['instance'],
    series: [],
  }),
  instanceResidentBytes: gauge('Resident memory', { unit: 'Bytes', dimensions: ['instance'], series: [] }),
  instanceReservedBytes: gauge('Memory of all models', { unit: 'Bytes', dimensions: ['instance'], series: [] }),
  instanceBudgetBytes: gauge('Memory that models may take together', {
    unit: 'Bytes',
    dimensions: ['instance'],
    series: [],
  }),
  instanceCpuPercent: gauge('Percent of one core', { unit: 'Percent', dimensions: ['instance'], series: [] }),
  instanceModelState: gauge('1 for the state that a model is in', {
    dimensions: ['instance', 'model', 'state'],
    series: [],
  }),
  instanceModelMemoryBytes: gauge('Memory of a model', {
    unit: 'Bytes',
    dimensions: ['instance', 'model'],
    series: [],
  }),
  instanceModelLeases: gauge('Requests that hold a model', {
    unit: 'Count',
    dimensions: ['instance', 'model'],
    series: [],
  }),
} satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof catalogue;

/** The names of metrics of a kind. */
export type NameOf<Kind extends MetricKind> = {
  [Name in MetricName]: (typeof catalogue)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];

/** A value for every dimension of a metric. */
export type Labels<Name extends MetricName> = Readonly<Record<(typeof catalogue)[Name]['dimensions'][number], string>>;

/** `modelLoads` is `ModelLoads`. */
export function cloudWatchName(name: MetricName): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** `modelLoads` is `casalingua_model_loads_total`. */
export function prometheusName(name: MetricName): string {
  const words = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `casalingua_${words}${catalogue[name].kind === 'counter' ? '_total' : ''}`;
}
