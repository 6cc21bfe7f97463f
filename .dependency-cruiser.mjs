/**
 * The arrows of the house (docs/architecture.md): functions -> host, admission, fleet -> breaker, repository, runtime ->
 * config, observability. Whoever wants another arrow changes the house, not this file alone.
 */
const layers = [
  { name: 'functions', path: '^functions/' },
  { name: 'http', path: '^shared/http/' },
  { name: 'decisions', path: '^shared/(host|admission|fleet)/' },
  { name: 'models', path: '^shared/(breaker|repository|runtime)/' },
  { name: 'ground', path: '^shared/(config/|observability/|[^/]+\\.ts$)' },
];

const downwards = layers.flatMap((layer, index) =>
  layers.slice(0, index).map((above) => ({
    name: `${layer.name}-not-to-${above.name}`,
    severity: 'error',
    from: { path: layer.path },
    to: { path: above.path },
  })),
);

export default {
  forbidden: [
    ...downwards,
    {
      name: 'http-knows-no-model',
      comment: 'the HTTP layer maps errors by their code and serves any app',
      severity: 'error',
      from: { path: '^shared/http/' },
      to: { path: '^shared/(host|admission|fleet|breaker|repository|runtime)/' },
    },
    {
      name: 'nothing-deployed-needs-infra',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { path: '^(infra|test)/' },
    },
    {
      name: 'functions-apart',
      comment: 'each function is bundled alone',
      severity: 'error',
      from: { path: '^functions/([^/]+)/' },
      to: { path: '^functions/', pathNot: '^functions/$1/' },
    },
    {
      name: 'aws-in-adapters-only',
      comment: 'domain code takes its stores as ports; adapters are named after what they adapt to',
      severity: 'error',
      from: { path: '^(functions|shared)/', pathNot: '/(?:(?:s3|dynamo)-[^/]+|lambda-invoke)\\.ts$' },
      to: { path: 'node_modules/@(aws-sdk|smithy)/' },
    },
    {
      name: 'lib-storage-not-deployed',
      comment: 'only the publisher uploads',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: 'node_modules/@aws-sdk/lib-storage/', reachable: true },
    },
    {
      name: 'one-import-of-the-lambda-adapter',
      severity: 'error',
      from: { pathNot: '^shared/http/lambda-adapter\\.ts$' },
      to: { path: 'hono/.*adapter/aws-lambda' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'undetermined', 'unknown'] },
    },
    {
      name: 'nothing-deployed-needs-a-dev-dependency',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: '@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
