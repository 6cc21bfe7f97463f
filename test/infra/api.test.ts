import { describe, expect, it } from 'vitest';
import type { StageInput } from '../../infra/config.ts';
import { routes } from '../../infra/routes.ts';
import { at, groupsWith, type Resource, type StageTemplate, synthesise } from './support/synthesise.ts';

const ROUTE = 'AWS::ApiGatewayV2::Route';
const jwt = {
  kind: 'jwt' as const,
  issuer: 'https://issuer.example',
  audience: ['casalingua'],
  scopes: ['translate'],
};

/** Route keys and how each is guarded. */
function guardsOf(template: StageTemplate): ReadonlyMap<unknown, unknown> {
  return new Map(template.of(ROUTE).map((route) => [at(route, 'RouteKey'), at(route, 'AuthorizationType')]));
}

/** The function behind a route, by its logical id. */
function behind(template: StageTemplate, routeKey: string): string {
  const route = template.of(ROUTE).find((one) => at(one, 'RouteKey') === routeKey);
  const [integration] = /Http[A-Za-z0-9]+/.exec(JSON.stringify(route?.Properties?.['Target'])) ?? [];
  return JSON.stringify(template.resources[integration ?? '']?.Properties?.['IntegrationUri']);
}

describe('the API of production', () => {
  const production = synthesise('production');
  const stage: Resource = production.one('AWS::ApiGatewayV2::Stage');

  it('has a route for each path of the route table and of the groups, and no route for all else', () => {
    const keys = production.of(ROUTE).map((route) => at(route, 'RouteKey'));

    const tabled = routes.map(({ path }) => `ANY ${path}`);
    expect(keys.toSorted()).toEqual([...tabled, 'ANY /pipeline/detect', 'ANY /pipeline/detect-language'].toSorted());
  });

  it('leads each path to the alias of its function', () => {
    expect(behind(production, 'ANY /translate')).toMatch(/translationLive/);
    expect(behind(production, 'ANY /pipeline/{proxy+}')).toMatch(/translationLive/);
    expect(behind(production, 'ANY /detect')).toMatch(/detectionLive/);
    expect(behind(production, 'ANY /pipeline/detect')).toMatch(/detectionLive/);
    expect(behind(production, 'ANY /health/{proxy+}')).toMatch(/controlLive/);
    expect(production.of('AWS::ApiGatewayV2::Integration')).toHaveLength(3);
  });

  it('lets everybody through to the functions, which ask for keys', () => {
    for (const [key, guard] of guardsOf(production)) expect(guard, String(key)).toBe('NONE');
  });

  it('may call its functions by the alias, each with one permission', () => {
    const permissions = production
      .of('AWS::Lambda::Permission')
      .filter((one) => at(one, 'Principal') === 'apigateway.amazonaws.com');

    expect(permissions).toHaveLength(3);
    for (const permission of permissions) expect(JSON.stringify(at(permission, 'FunctionName'))).toMatch(/Live/);
  });

  it('limits requests, all of them and by route', () => {
    expect(at(stage, 'StageName')).toBe('$default');
    expect(at(stage, 'DefaultRouteSettings')).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
      DetailedMetricsEnabled: true,
    });
    expect(at(stage, 'RouteSettings')).toEqual({
      'ANY /translate': { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200, DetailedMetricsEnabled: true },
    });
  });

  it('makes its routes before the stage that has settings for them', () => {
    const ids = Object.entries(production.resources).flatMap(([id, { Type }]) => (Type === ROUTE ? [id] : []));

    expect(stage['DependsOn']).toEqual(expect.arrayContaining(ids));
  });

  it('writes a log that is JSON with numbers, names the route and never the path', () => {
    const format = String(at(stage, 'AccessLogSettings.Format'));

    const line = format.replaceAll(/\$context\.(status|responseLatency)/g, '200').replaceAll(/\$context\.[\w.]+/g, '-');
    expect(JSON.parse(line)).toMatchObject({ status: 200, responseLatency: 200, routeKey: '-', requestId: '-' });
    expect(format).not.toMatch(/\$context\.(path|domainName|http\.path)/);
    expect(at(stage, 'AccessLogSettings.DestinationArn')).toEqual({
      'Fn::GetAtt': [production.idOf('AWS::Logs::LogGroup', 'HttpAccessLog'), 'Arn'],
    });
  });
});

describe('the API by its configuration', () => {
  const withCallers = (callers: StageInput['authorization']['callers'], more: Partial<StageInput> = {}) =>
    synthesise('production', { authorization: { callers, operators: { kind: 'keys' } }, ...more });
  const variable = (template: StageTemplate, name: string, which: string) =>
    at(template.one('AWS::Lambda::Function', `${which}Function`), `Environment.Variables.${name}`);

  it('asks for IAM where it is configured, but where a route only says that the service is alive or is a page', () => {
    const iam = { kind: 'iam' as const };
    const open = ['/health', '/readiness', '/liveness', '/openapi.json', '/docs', '/dashboard'];

    const guards = guardsOf(synthesise('production', { authorization: { callers: iam, operators: iam } }));

    for (const [key, guard] of guards) {
      const path = String(key)
        .replace('ANY ', '')
        .replace(/^(\/docs|\/dashboard)\/.*/, '$1');
      expect(guard, String(key)).toBe(open.includes(path) ? 'NONE' : 'AWS_IAM');
    }
  });

  it('tells the functions what a signature is worth: what its routes are for', () => {
    const iam = { kind: 'iam' as const };
    const both = synthesise('production', { authorization: { callers: iam, operators: iam } });
    const callers = withCallers(iam);

    expect(variable(both, 'CASALINGUA_IAM_SCOPES', 'translation')).toBe('infer');
    expect(variable(both, 'CASALINGUA_IAM_SCOPES', 'control')).toBe('read,admin');
    expect(variable(callers, 'CASALINGUA_IAM_SCOPES', 'control')).toBe('read');
    expect(variable(synthesise('production'), 'CASALINGUA_IAM_SCOPES', 'control')).toBeUndefined();
  });

  it('tells the functions that translate what one caller may ask for', () => {
    const production = synthesise('production');
    const none = synthesise('production', { callerLimits: {} });
    const names = ['CASALINGUA_LIMIT_REQUESTS_PER_MINUTE', 'CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE'];

    expect(names.map((name) => variable(production, name, 'translation'))).toEqual(['600', '500000']);
    for (const name of names) {
      expect(variable(production, name, 'control')).toBeUndefined();
      expect(variable(none, name, 'translation')).toBeUndefined();
    }
  });

  it("tells the functions what a token's scopes allow", () => {
    const template = withCallers({ ...jwt, allows: { translate: 'infer' } });

    for (const which of ['translation', 'control']) {
      expect(variable(template, 'CASALINGUA_JWT_SCOPES', which)).toBe('{"translate":"infer"}');
    }
    expect(variable(withCallers(jwt), 'CASALINGUA_JWT_SCOPES', 'control')).toBeUndefined();
  });

  it('asks callers for a token of the issuer, with a scope', () => {
    const template = withCallers(jwt);

    expect(guardsOf(template).get('ANY /translate')).toBe('JWT');
    const route = template.of(ROUTE).find((one) => at(one, 'RouteKey') === 'ANY /translate');
    expect(route?.Properties).toMatchObject({ AuthorizationScopes: ['translate'] });
    template.template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      JwtConfiguration: { Audience: ['casalingua'], Issuer: 'https://issuer.example' },
    });
  });

  it('lets a browser ask first without credentials, and bothers no model with it', () => {
    const template = withCallers(jwt, { corsOrigins: ['https://casalingua.example'] });

    expect(at(template.one('AWS::ApiGatewayV2::Api'), 'CorsConfiguration')).toMatchObject({
      AllowOrigins: ['https://casalingua.example'],
      AllowMethods: ['GET', 'POST'],
    });
    const guards = guardsOf(template);
    expect(guards.get('OPTIONS /translate')).toBe('NONE');
    expect(guards.get('ANY /translate')).toBe('JWT');
    expect(behind(template, 'OPTIONS /translate')).toMatch(/controlLive/);
  });

  it('says at synthesis that anybody may translate where that is configured, and only there', () => {
    const warned = (template: StageTemplate) =>
      template.warnings.filter((text) => /anybody on the internet/.test(text));

    const groups = groupsWith('production', 'translation', { environment: { CASALINGUA_ANONYMOUS_SCOPES: 'infer' } });
    expect(warned(withCallers({ kind: 'keys' }, { groups }))).toHaveLength(1);
    expect(warned(withCallers({ kind: 'iam' }, { groups }))).toEqual([]);
    expect(warned(withCallers({ kind: 'keys' }))).toEqual([]);
  });
});
