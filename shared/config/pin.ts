/** A version that this deployment names itself. */
export interface Pin {
  readonly version: string;
  /** True: always this version. False: only while the store cannot be read and nothing newer is known. */
  readonly hard: boolean;
}
