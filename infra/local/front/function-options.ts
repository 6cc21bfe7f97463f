/** One function as it would be deployed. */
export interface LocalFunctionOptions {
  readonly name: string;
  /** The bundle: what would be in the deployed zip. */
  readonly folder: string;
  /** E.g. `index.handler`. */
  readonly handler: string;
  /** Instances at most; a request that finds all of them at work is throttled. */
  readonly maxInstances: number;
  /** Of those, how many are started before any request and kept: provisioned concurrency. */
  readonly provisioned: number;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
}
