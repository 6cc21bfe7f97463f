import { createAdminView } from '../../functions/control/admin/admin-view.ts';
import type { DeployedModels } from '../../functions/control/admin/deployed-models.ts';
import { createOperator } from '../../functions/control/admin/operator.ts';
import { type ControlApp, type ControlDeps, createApp } from '../../functions/control/app.ts';
import type { ReadMemoryHistory } from '../../functions/control/memory-history.ts';
import type { MetricsPage } from '../../functions/control/metrics-page.ts';
import type { ActiveVersionRecord, ActiveVersions } from '../../shared/fleet/active-versions.ts';
import { digestKey } from '../../shared/fleet/breaker/digest-entry.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { PROMETHEUS_TYPE } from '../../shared/observability/prometheus-metrics.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { ObjectNotFoundError, StoreUnavailableError, VersionConflictError } from '../../shared/repository/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { objectKey } from '../../shared/repository/manifest-store.ts';
import type { ObjectStore } from '../../shared/repository/object-store.ts';
import { anybodyMay } from './callers.ts';
import { createFakeCatalog, shippedManifests } from './fake-catalog.ts';
import { noInstances } from './fake-fleet.ts';
import { testNow } from './inference-app.ts';
import { VirtualTable } from './virtual-table.ts';

type StoreState = 'there' | 'away' | 'broken';

export interface ControlStage {
  readonly app: ControlApp;
  /** What the fleet shares. */
  readonly table: VirtualTable;
  readonly active: Map<string, ActiveVersionRecord>;
  /** Manifests that lie in the repository, by their keys. */
  readonly objects: Map<string, string>;
  /** What was logged. */
  readonly lines: string[];
  /** How often the fleet was woken. */
  wakes(): number;
  /** Whether the stores answer from now on; `broken`: with an error that is not ours. */
  become(state: StoreState): void;
}

export interface ControlStageOptions
  extends Partial<Pick<ControlDeps, 'admission' | 'authenticate' | 'sleepers' | 'digest' | 'files'>> {
  readonly catalog?: Catalog;
  /** Published ones, whether or not the catalog serves them. */
  readonly published?: readonly Manifest[];
  readonly fleet?: FleetView;
  readonly preloadModels?: DeployedModels['preloads'];
  readonly alwaysLoaded?: readonly string[];
  readonly pins?: DeployedModels['pins'];
  readonly serves?: (id: string) => boolean;
  readonly canWake?: boolean;
  readonly memoryHistory?: ReadMemoryHistory;
  readonly metricsPage?: () => Promise<MetricsPage>;
}

/** A manifest that lies in the repository has one at least. */
const file = { path: 'model.onnx', size: 1, sha256: '0'.repeat(64), role: 'other' };

/** The real control app over stores in memory; whoever calls may do everything, unless the test says otherwise. */
export function createTestControl(options: ControlStageOptions = {}): ControlStage {
  const { catalog = createFakeCatalog(shippedManifests), published = shippedManifests, fleet = noInstances } = options;
  const clock = { now: () => testNow };
  const lines: string[] = [];
  const log = createJsonLog((line) => lines.push(line), clock);
  const table = new VirtualTable();
  const active = new Map<string, ActiveVersionRecord>();
  const objects = new Map(
    published.map((manifest) => [objectKey(manifest, 'manifest.json'), JSON.stringify({ ...manifest, files: [file] })]),
  );
  let wakes = 0;
  let state: StoreState = 'there';

  const ask = async <Answer>(answer: () => Answer): Promise<Answer> => {
    if (state === 'away') throw new StoreUnavailableError('the store did not answer in time');
    if (state === 'broken') throw new Error('a secret');
    return answer();
  };
  const tableStore: TableStore = {
    read: (key) => ask(() => table.read(key).item),
    query: (pk) => ask(() => table.query(pk).items),
    update: (update) => ask(() => table.apply(update)),
  };
  const objectStore: ObjectStore = {
    getText: (key) =>
      ask(() => {
        const text = objects.get(key);
        if (text === undefined) throw new ObjectNotFoundError(`there is no ${key}`);
        return text;
      }),
    list: (prefix) =>
      ask(() => ({
        objects: [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => ({ key, size: 1, etag: '' })),
        folders: [],
      })),
    getRange: () => Promise.reject(new Error('operators read no weights')),
    renewConnections: () => undefined,
  };
  const activations: ActiveVersions = {
    read: (ids) => ask(() => new Map([...active].filter(([id]) => ids.includes(id)))),
    current: (id) => ask(() => active.get(id)),
    activate: ({ id, version, by, request, expectedSeq }) =>
      ask(() => {
        const before = active.get(id);
        if ((before?.seq ?? 0) !== expectedSeq) throw new VersionConflictError(`${id} was changed by somebody else`);
        const record = { version, seq: expectedSeq + 1, by, at: testNow, previous: before?.version, request };
        active.set(id, record);
        return { record, announced: true };
      }),
  };
  const deployed: DeployedModels = {
    serves: options.serves ?? (() => true),
    pins: options.pins ?? new Map(),
    alwaysLoaded: new Set(options.alwaysLoaded ?? []),
    preloads: options.preloadModels ?? [],
  };
  const instances = async () => fleet;
  const digestNow = () =>
    tableStore.read(digestKey).then(
      (known) => ({ known, failure: undefined }),
      (thrown: Error) => ({ known: undefined, failure: thrown.message }),
    );
  let ids = 0;
  const app = createApp({
    authenticate: options.authenticate ?? anybodyMay('admin', 'read'),
    ...(options.sleepers === undefined ? {} : { sleepers: options.sleepers }),
    catalog,
    instances,
    digest: options.digest ?? digestNow,
    digestNow,
    deployed,
    memoryHistory: options.memoryHistory ?? (async () => []),
    metricsPage: options.metricsPage ?? (async () => ({ mediaType: PROMETHEUS_TYPE, text: '' })),
    view: createAdminView({ catalog, instances, objects: objectStore, activations, table: tableStore, deployed }),
    operator: createOperator({
      catalog,
      objects: objectStore,
      activations,
      table: tableStore,
      calls: createTableCalls({ store: tableStore, clock, timeoutMs: 1_000, firstTimeoutMs: 1_000, log }),
      deployed,
      wakeFleet: async () => {
        wakes += 1;
        return options.canWake ?? true;
      },
      clock,
      newId: () => `request-${ids++}`,
      log,
    }),
    ...(options.admission === undefined ? {} : { admission: options.admission }),
    files: options.files ?? (async () => undefined),
    log,
    clock,
    version: '1.2.3',
  });
  return {
    app,
    table,
    active,
    objects,
    lines,
    wakes: () => wakes,
    become: (next) => {
      state = next;
    },
  };
}
