import { join } from 'node:path';

/** Where things lie; `bench` folders hold what a benchmark has built for itself. */
const root = join(import.meta.dirname, '..', '..');
const build = join(root, 'build');
const peers = join(import.meta.dirname, 'peers');

export const folders = {
  build,
  bench: join(build, 'bench'),
  /** The deployed bundle; ends without a slash. */
  inference: join(build, 'functions', 'inference'),
  translationModel: join(root, 'infra', 'models', 'translate-en-es'),
  peers,
  /** Below the peers' own packages, where a bundle finds them. */
  peerPrograms: join(peers, 'build'),
  reference: join(root, 'test', 'fixtures', 'reference', 'en-es.jsonl'),
};
