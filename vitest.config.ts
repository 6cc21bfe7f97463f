import { defineConfig } from 'vitest/config';

/** What leaves nothing behind in its process: its files share one, which takes half the time. */
const pure = ['unit', 'property', 'simulation', 'bench'].map((folder) => `test/${folder}/**`);

/**
 * `pure`, `fast` and `infra` (the stack) are `npm test` (under three minutes on two cores); `full` has the long runs (`*.full.test.ts`).
 * End-to-end files start child processes and sessions: two files at a time is what two cores hold.
 */
const common = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 120_000,
  pool: 'forks',
  maxWorkers: 2,
} as const;

export default defineConfig({
  test: {
    globalSetup: ['test/support/build-once.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: 'pure',
          include: pure.map((folder) => `${folder}/*.test.ts`),
          exclude: ['test/**/*.full.test.ts'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...pure, 'test/infra/**', 'test/**/*.full.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          ...common,
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          exclude: ['test/**/*.full.test.ts'],
          // CDK takes seconds to import: once for each worker, not for each file.
          isolate: false,
        },
      },
      { extends: true, test: { ...common, name: 'full', include: ['test/**/*.full.test.ts'], testTimeout: 600_000 } },
    ],
  },
});
