import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import {
  type CfnStage,
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import { routes } from '../routes.ts';
import { accessLogFormat } from './access-log.ts';
import { acknowledge } from './acknowledge.ts';
import { createGuards, type Guard } from './authorizers.ts';
import { accessTo } from './route-access.ts';
import type { ServiceFunction } from './service-function.ts';

export interface ServiceApiProps {
  readonly config: StageConfig;
  readonly control: ServiceFunction;
  /** By the name of the group. */
  readonly groups: ReadonlyMap<string, ServiceFunction>;
  /** Of the access log. @default - CloudWatch's own key */
  readonly key: IKey | undefined;
}

/** The HTTP API: an explicit route to an alias for each path of the route table, nothing for any other path. */
export class ServiceApi extends Construct {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly accessLog: LogGroup;
  readonly #integrations = new Map<ServiceFunction, HttpLambdaIntegration>();

  constructor(scope: Construct, id: string, { config, control, groups, key }: ServiceApiProps) {
    super(scope, id);
    const { corsOrigins, throttling } = config;
    this.api = new HttpApi(this, 'Api', {
      apiName: `casalingua-${config.stage}`,
      description: `CasaLingua, ${config.stage}`,
      createDefaultStage: false,
      ...(corsOrigins.length === 0 ? {} : { corsPreflight: corsFor(corsOrigins) }),
    });
    this.accessLog = new LogGroup(this, 'AccessLog', {
      retention: config.logRetentionDays,
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(key === undefined ? {} : { encryptionKey: key }),
    });
    this.stage = new HttpStage(this, 'DefaultStage', {
      httpApi: this.api,
      // A stage with a name would stand at the beginning of every path.
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: throttling.everywhere.rate, burstLimit: throttling.everywhere.burst },
      detailedMetricsEnabled: true,
      accessLogSettings: { destination: new LogGroupLogDestination(this.accessLog), format: accessLogFormat },
    });
    const guards = createGuards(config.authorization);
    for (const [path, target] of servedBy(config, control, groups)) {
      const guard = guards[accessTo(path)];
      this.#addRoute(path, HttpMethod.ANY, target, guard);
      // ANY takes OPTIONS, and a browser asks without credentials. The gateway itself answers it, the small function what else comes so.
      if (guard.kind === 'guarded' && corsOrigins.length > 0) {
        this.#addRoute(path, HttpMethod.OPTIONS, control, { kind: 'open' });
      }
    }
    this.#throttleRoutes(throttling.routes);
    for (const [who, { kind }] of Object.entries(config.authorization))
      Tags.of(this.api).add(`casalingua:${who}`, kind);
  }

  get url(): string {
    return this.api.apiEndpoint;
  }

  #addRoute(path: string, method: HttpMethod, target: ServiceFunction, guard: Guard): void {
    const route = new HttpRoute(this, `${method} ${path}`, {
      httpApi: this.api,
      routeKey: HttpRouteKey.with(path, method),
      integration: this.#integrationOf(target),
      ...(guard.kind === 'guarded' ? { authorizer: guard.authorizer, authorizationScopes: [...guard.scopes] } : {}),
    });
    // Settings of a route can only be made for one that is there.
    this.stage.node.addDependency(route);
    if (guard.kind === 'guarded') return;
    acknowledge(route, { 'AwsSolutions-APIG4': method === HttpMethod.OPTIONS ? PREFLIGHT : whyWithout(guard) });
  }

  #integrationOf(target: ServiceFunction): HttpLambdaIntegration {
    const known = this.#integrations.get(target);
    if (known !== undefined) return known;
    const made = new HttpLambdaIntegration(`${target.node.id}Integration`, target.alias, {
      // One permission for the API instead of one for each route.
      scopePermissionToRoute: false,
    });
    this.#integrations.set(target, made);
    return made;
  }

  #throttleRoutes(limits: StageConfig['throttling']['routes']): void {
    const stage = this.stage.node.defaultChild as CfnStage;
    stage.routeSettings = Object.fromEntries(
      Object.entries(limits).map(([path, { rate, burst }]) => [
        `ANY ${path}`,
        // They stand for the defaults, all of them.
        { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst, DetailedMetricsEnabled: true },
      ]),
    );
  }
}

const PREFLIGHT = 'A browser sends its preflight without credentials; the gateway answers it itself.';

function whyWithout(guard: Exclude<Guard, { kind: 'guarded' }>): string {
  switch (guard.kind) {
    case 'open':
      return "Says only that the service is alive and how to call it, or is a page without data; nothing here is anybody's.";
    case 'keys':
      return (
        'The function asks for an API key itself and refuses whoever has none before any work is done: it refuses every route that its ' +
        "own list does not name (tested). LibreTranslate's clients send the key in the body, where no authorizer of the gateway sees it."
      );
  }
}

/** Each path and the function that serves it. */
function servedBy(
  config: StageConfig,
  control: ServiceFunction,
  groups: ReadonlyMap<string, ServiceFunction>,
): readonly (readonly [string, ServiceFunction])[] {
  const own = routes.filter((route) => route.function === 'control').map((route) => [route.path, control] as const);
  const grouped = Object.entries(config.groups).flatMap(([name, { routes: paths }]) => {
    const target = groups.get(name);
    return target === undefined ? [] : paths.map((path) => [path, target] as const);
  });
  return [...grouped, ...own];
}

function corsFor(origins: readonly string[]) {
  return {
    allowOrigins: [...origins],
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
    allowHeaders: ['authorization', 'content-type', 'prefer', 'x-request-deadline-ms', 'x-request-id'],
    exposeHeaders: ['ratelimit', 'ratelimit-policy', 'retry-after', 'x-fallback-model', 'x-request-id'],
    maxAge: Duration.hours(1),
  };
}
