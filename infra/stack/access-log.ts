import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';

/**
 * One JSON object per request. It names the route and not the path, as a caller could write a text into it. Numbers that are
 * always there stand without quotes, so that metrics can take their values; what may be missing becomes `-`, and stands in them.
 */
export const accessLogFormat: AccessLogFormat = AccessLogFormat.custom(
  `{${[
    '"requestId":"$context.requestId"',
    '"time":"$context.requestTimeEpoch"',
    '"ip":"$context.identity.sourceIp"',
    '"method":"$context.httpMethod"',
    '"routeKey":"$context.routeKey"',
    '"status":$context.status',
    '"responseLatency":$context.responseLatency',
    '"responseLength":"$context.responseLength"',
    '"integrationLatency":"$context.integration.latency"',
    '"integrationStatus":"$context.integration.status"',
    '"error":"$context.error.responseType"',
    '"authorizerError":"$context.authorizer.error"',
    '"caller":"$context.identity.userArn"',
  ].join(',')}}`,
);
