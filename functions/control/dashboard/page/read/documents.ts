/** What the page reads of the control function's answers, as docs/api.md has them. A test holds the answers' own types against these. */

export type FleetStatus = 'healthy' | 'degraded' | 'unhealthy';

/** How many times in each state. */
export type StateCounts = Readonly<Record<string, number>>;

export interface HealthDocument {
  readonly status: FleetStatus;
  /** ISO 8601, as all times. */
  readonly timestamp: string;
  /** Seconds. */
  readonly uptime: number;
  readonly models: readonly ModelSummary[];
  readonly model_queue: { readonly size: number; readonly currently_loading: readonly string[] };
  readonly system: {
    readonly memory_total: string | null;
    readonly memory_used: string | null;
    readonly memory_percent: number | null;
    readonly cpu_usage: number;
  };
  readonly breakers: readonly BreakerDocument[];
  readonly admission: AdmissionDocument | null;
  readonly loads: readonly LoadDocument[];
  readonly events: readonly EventDocument[];
  readonly instance_count: number;
  readonly instances: readonly InstanceDocument[];
  readonly reasons: readonly string[];
}

export interface ModelSummary {
  readonly name: string;
  readonly status: string;
  readonly loading_progress: number;
  readonly ready: boolean;
  readonly version: string | null;
  readonly states: StateCounts;
}

export interface AdmissionDocument {
  readonly in_flight: number;
  readonly waiting: number | null;
  readonly queue_delay_ms: number | null;
  readonly service_ms: { readonly p50: number | null; readonly p90: number | null };
}

export interface LoadDocument {
  readonly instance: string;
  readonly model: string;
  readonly version: string;
  readonly phase: string;
  /** 0 to 1. */
  readonly progress: number;
  readonly bytes_loaded: number;
  readonly bytes_total: number;
  readonly seconds_left: number | null;
  readonly waits_for_permit: boolean;
  readonly stale: boolean;
}

/** A step of a model or of a circuit breaker. */
export interface EventDocument {
  readonly at: string;
  readonly instance: string;
  readonly model?: string | null;
  readonly breaker?: string | null;
  readonly from: string;
  readonly to: string;
  readonly code?: string | null;
  readonly took_ms?: number | null;
}

export interface BreakerDocument {
  readonly name: string;
  readonly states: StateCounts;
  readonly fleet: SharedBreaker | null;
}

export interface SharedBreaker {
  readonly state: string;
  readonly since: string | null;
  readonly next_probe_at: string | null;
  readonly probe: { readonly owner: string; readonly since: string; readonly lease_seconds: number } | null;
  readonly forced: { readonly by: string; readonly why: string; readonly until: string | null } | null;
  readonly openings: number;
}

export interface InstanceDocument {
  readonly id: string;
  readonly stale: boolean;
  readonly seen_at: string;
  readonly started_at: string;
  /** Seconds. */
  readonly uptime: number;
  readonly initialization: string;
  readonly version: string;
  readonly cpu_usage: number;
  readonly memory: {
    readonly limit_mb: number | null;
    readonly budget_mb: number | null;
    readonly used_mb: number | null;
    readonly reserved_mb: number | null;
  };
  readonly model_queue: { readonly size: number; readonly limit: number };
  readonly models: readonly {
    readonly name: string;
    readonly version: string;
    readonly state: string;
    readonly memory_mb: number | null;
  }[];
  readonly breakers: readonly {
    readonly name: string;
    readonly state: string;
    readonly failures: number;
    readonly next_probe_at: string | null;
  }[];
  readonly traffic: TrafficDocument | null;
}

/** Counts since the instance's start. */
export interface TrafficDocument {
  readonly requests: number;
  readonly failures: number;
  readonly shed: number;
}

export interface AdminModelsDocument {
  readonly models: readonly AdminModel[];
  readonly reasons: readonly string[];
}

export interface AdminModel {
  readonly id: string;
  readonly task: string | null;
  readonly active: { readonly version: string; readonly seq: number | null; readonly previous: string | null } | null;
  readonly versions: readonly string[];
  readonly version_pin: { readonly version: string; readonly hard: boolean } | null;
  readonly always_loaded: boolean;
  readonly preload: boolean;
  readonly status: string;
  readonly loading_progress: number;
  readonly states: StateCounts;
  readonly memory_mb: number;
  readonly wish: WishDocument | null;
}

export interface WishDocument {
  readonly want: string;
  readonly seq: number;
  readonly by: string;
  readonly until: string | null;
  readonly is_over: boolean;
  readonly carried_out: number;
  readonly instances: number;
}

/** What the monitor wrote down of the fleet's memory, the oldest first. */
export interface MemorySnapshotsDocument {
  readonly snapshots: readonly (RecordedMemory & {
    readonly taken_at: string;
    readonly instances: readonly (RecordedMemory & { readonly id: string })[];
  })[];
}

export interface RecordedMemory {
  readonly rss_mb: number;
  readonly budget_mb: number;
  /** By `id@version`. */
  readonly models: readonly { readonly model: string; readonly memory_mb: number }[];
}

/** Who the page's key belongs to. */
export interface AccessDocument {
  readonly caller: string;
  readonly scopes: readonly string[];
}

/** RFC 9457, as far as it is shown. */
export interface ProblemDocument {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId?: string;
}
