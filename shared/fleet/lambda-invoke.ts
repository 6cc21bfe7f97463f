import { InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Hands an event over to a function, which is called with it soon; rejects when Lambda has not taken it. */
export type InvokeLater = (functionName: string, event: object, signal: AbortSignal) => Promise<void>;

/** By the usual AWS environment. Importing this file brings Lambda's client with it. */
export function createInvokeLater(timeoutMs: number): InvokeLater {
  const client = new LambdaClient({
    // Whoever wakes the fleet goes on without: there is no time for a second try.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: timeoutMs, requestTimeout: timeoutMs }),
  });
  return async (functionName, event, signal) => {
    await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        InvocationType: InvocationType.Event,
        Payload: Buffer.from(JSON.stringify(event)),
      }),
      { abortSignal: signal },
    );
  };
}
