/** Packages that the service and the generator need, and that a bundle of ES modules cannot hold. */
export const COMMON_JS: readonly string[] = ['prom-client', 'undici'];
