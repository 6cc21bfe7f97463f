import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const bench = join(root, 'build', 'bench');
const peers = join(import.meta.dirname, 'peers');

/** Where things lie. A benchmark builds for itself, so that what runs from `build` meanwhile is not pulled away. */
export const folders = {
  bench,
  /** The bundles, built as they are deployed. */
  functions: join(bench, 'functions'),
  inference: join(bench, 'functions', 'inference'),
  models: join(bench, 'models'),
  /** As the project publishes it. */
  publishedModel: join(bench, 'models', 'translate-en-es'),
  /** The same graphs with their weights in them. */
  embeddedModel: join(bench, 'embedded', 'translate-en-es'),
  /** As it was exported: what another library would be given. */
  exportedModel: join(root, 'infra', 'models', 'translate-en-es'),
  peers,
  /** Below the peers' own packages, where a bundle finds them. */
  peerPrograms: join(peers, 'build'),
  reference: join(root, 'test', 'fixtures', 'reference', 'en-es.jsonl'),
};
