import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export interface DynamoClientOptions {
  /** Ms that one attempt may take; a call's own signal can be stricter. */
  readonly timeoutMs: number;
  /** Attempts by the SDK itself; 1 where the caller serves on what it knows. */
  readonly attempts?: number;
}

/** A DynamoDB client by the usual AWS environment. */
export function createDynamoClient(options: DynamoClientOptions): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: options.attempts ?? 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: options.timeoutMs,
      requestTimeout: options.timeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true },
      httpsAgent: { keepAlive: true },
    }),
  });
}

/** Drops its sockets, also those in use, whose calls fail; the next call opens a new one. */
export function renewDynamoConnections(client: DynamoDBClient): void {
  client.config.requestHandler.destroy?.();
}
