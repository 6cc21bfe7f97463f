/** A template as JSON, free to be changed. */
export interface TemplateJson {
  readonly Resources: Record<string, ResourceJson>;
}

export interface ResourceJson {
  readonly Type: string;
  Properties?: Record<string, unknown>;
}

type Rule = (id: string, resource: ResourceJson, all: TemplateJson) => readonly string[];

/** Routes that anybody may call; a decision of its own, not read from the stack's code. */
const OPEN = /^(ANY \/(health|readiness|liveness|openapi\.json|(docs|dashboard)(\/\{proxy\+\})?)|OPTIONS \S+)$/;
/** Routes whose functions ask for a key, by who may call them. */
const KEYED: Readonly<Record<string, RegExp>> = {
  callers: /^ANY \/(translate|detect|languages|pipeline\/\S+|health\/\{proxy\+\})$/,
  operators: /^ANY \/(metrics|admin\/\{proxy\+\})$/,
};
/** Statements that AWS itself documents with all resources. */
const NAMELESS =
  /^(xray:|logs:(CreateLogDelivery|GetLogDelivery|UpdateLogDelivery|DeleteLogDelivery|ListLogDeliveries|PutResourcePolicy|DescribeResourcePolicies|DescribeLogGroups)$)/;

/** What a reviewer would object to in a template; empty: nothing. Looks at the template alone. */
export function insecuritiesOf(template: TemplateJson): readonly string[] {
  return Object.entries(template.Resources).flatMap(([id, resource]) =>
    rules.flatMap((rule) => rule(id, resource, template).map((what) => `${id}: ${what}`)),
  );
}

const rules: readonly Rule[] = [
  (_, { Type, Properties = {} }) => {
    if (Type !== 'AWS::S3::Bucket') return [];
    const closed = asObject(Properties['PublicAccessBlockConfiguration']);
    const isClosed = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].every(
      (name) => closed[name] === true,
    );
    const owner = JSON.stringify(Properties['OwnershipControls'] ?? '').includes('BucketOwnerEnforced');
    return [
      ...(isClosed ? [] : ['the bucket may become public']),
      ...(owner ? [] : ['objects may belong to others']),
      ...(Properties['BucketEncryption'] === undefined ? ['is not encrypted'] : []),
    ];
  },
  (id, { Type }, all) =>
    Type !== 'AWS::S3::Bucket' || policiesOn(id, 'AWS::S3::BucketPolicy', 'Bucket', all).some(refusesPlainHttp)
      ? []
      : ['takes requests without TLS'],
  (id, { Type }, all) =>
    Type !== 'AWS::SNS::Topic' || policiesOn(id, 'AWS::SNS::TopicPolicy', 'Topics', all).some(refusesPlainHttp)
      ? []
      : ['takes messages without TLS'],
  (_, { Type, Properties = {} }) =>
    Type === 'AWS::S3::BucketPolicy' &&
    statements(Properties).some((one) => one['Effect'] === 'Allow' && one['Principal'] === '*')
      ? ['lets anybody in']
      : [],
  (_, { Type, Properties = {} }) => {
    if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy') return [];
    return statements(Properties).flatMap((one) => {
      const actions = texts(one['Action']);
      return [
        ...actions.filter((action) => action.includes('*')).map((action) => `allows ${action}`),
        ...(texts(one['Resource']).includes('*') && !actions.every((action) => NAMELESS.test(action))
          ? [`allows ${actions.join(', ')} on everything`]
          : []),
        ...(actions.some((action) => action.startsWith('dynamodb:')) &&
        !JSON.stringify(one['Condition'] ?? '').includes('dynamodb:LeadingKeys')
          ? ['reaches every partition of the table']
          : []),
      ];
    });
  },
  (_, { Type, Properties = {} }, all) => {
    if (Type !== 'AWS::ApiGatewayV2::Route' || (Properties['AuthorizationType'] ?? 'NONE') !== 'NONE') return [];
    const key = String(Properties['RouteKey']);
    const [who] = Object.entries(KEYED).find(([, routes]) => routes.test(key)) ?? [];
    // The gateway may leave it to the functions only where the stage says so.
    const isKeyed = who !== undefined && authorizationOf(who, all) === 'keys';
    return isKeyed || OPEN.test(key) ? [] : [`${key} asks nobody who they are`];
  },
  (_, { Type, Properties = {} }) =>
    Type === 'AWS::ApiGatewayV2::Stage' &&
    asObject(Properties['DefaultRouteSettings'])['ThrottlingRateLimit'] === undefined
      ? ['limits no requests']
      : [],
  (_, { Type, Properties = {} }) =>
    Type === 'AWS::ApiGatewayV2::Stage' && Properties['AccessLogSettings'] === undefined ? ['logs no access'] : [],
  (_, { Type, Properties = {} }) => {
    if (Type !== 'AWS::DynamoDB::GlobalTable') return [];
    const replicas = Array.isArray(Properties['Replicas']) ? Properties['Replicas'].map(asObject) : [];
    return [
      ...(replicas.every((one) => one['DeletionProtectionEnabled'] === true) ? [] : ['can be deleted']),
      ...(replicas.every(
        (one) => asObject(one['PointInTimeRecoverySpecification'])['PointInTimeRecoveryEnabled'] === true,
      )
        ? []
        : ['cannot be taken back']),
    ];
  },
  (_, { Type, Properties = {} }) =>
    Type === 'AWS::Lambda::Permission' && (Properties['Principal'] === '*' || Properties['SourceArn'] === undefined)
      ? ['lets anybody call']
      : [],
  (_, { Type }) => (Type === 'AWS::Lambda::Url' ? ['goes round the API'] : []),
];

/** How the stage has it told who calls, by the tags of its API. */
function authorizationOf(who: string, { Resources }: TemplateJson): unknown {
  const api = Object.values(Resources).find(({ Type }) => Type === 'AWS::ApiGatewayV2::Api');
  return asObject(api?.Properties?.['Tags'])[`casalingua:${who}`];
}

function policiesOn(id: string, type: string, member: string, { Resources }: TemplateJson): readonly ResourceJson[] {
  return Object.values(Resources).filter(
    ({ Type, Properties = {} }) => Type === type && JSON.stringify(Properties[member]).includes(`{"Ref":"${id}"}`),
  );
}

function refusesPlainHttp({ Properties = {} }: ResourceJson): boolean {
  return statements(Properties).some(
    (one) =>
      one['Effect'] === 'Deny' &&
      JSON.stringify(one['Condition']) === '{"Bool":{"aws:SecureTransport":"false"}}' &&
      JSON.stringify(one['Principal']).includes('*'),
  );
}

function statements(properties: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  const found = asObject(properties['PolicyDocument'])['Statement'];
  return Array.isArray(found) ? found.map(asObject) : [];
}

function texts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
