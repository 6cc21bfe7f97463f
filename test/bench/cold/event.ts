import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { toEvent } from '../../../infra/local/front/event.ts';

/** `POST /translate` with JSON, as the local front hands it on; its body is a placeholder. */
export function translateEvent(): APIGatewayProxyEventV2 {
  return toEvent(
    {
      method: 'POST',
      url: '/translate',
      headers: { host: ['127.0.0.1'], 'content-type': ['application/json'], 'user-agent': ['bench'] },
      body: Buffer.from('{}'),
      sourceIp: '127.0.0.1',
      protocol: 'HTTP/1.1',
    },
    {
      requestId: '00000000-0000-4000-8000-000000000000',
      now: Date.now(),
      route: { function: 'inference', routeKey: 'ANY /translate' },
    },
  );
}
