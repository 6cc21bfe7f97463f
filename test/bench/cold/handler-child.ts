/** One cold instance: imports a bundle and, unless only its init is asked for, hands requests to its handler. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { printAnswer, printMark } from './print-mark.ts';

export interface HandlerStart {
  /** URL of the bundle's `index.mjs`. */
  readonly bundle: string;
  /** Undefined: init alone. */
  readonly requests?: HandlerRequests;
}

export interface HandlerRequests {
  /** `POST /translate` as API Gateway hands it on; each request gets a body of its own. */
  readonly event: APIGatewayProxyEventV2;
  /** One request each, in their order; the last one's answer comes from a warm process. */
  readonly sentences: readonly string[];
  /** How often the tenth sentence is asked for again when all others have been. */
  readonly repeats: number;
}

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

printMark('started');
const { bundle, requests } = JSON.parse(process.argv[2] ?? '') as HandlerStart;
const { handler } = (await import(bundle)) as { handler: Handler };
printMark('imported');
if (requests !== undefined) await serve(requests);
process.exit(0);

async function serve({ event, sentences, repeats }: HandlerRequests): Promise<void> {
  const [first = '', ...others] = sentences;
  const answer = await translate(event, first);
  printMark('answered');
  printAnswer(answer);
  const tenth = others[8] ?? first;
  for (const [index, sentence] of others.entries()) {
    if (index === 8) printMark('tenth asked');
    await translate(event, sentence);
    if (index === 8) printMark('tenth answered');
  }
  for (let repeat = 0; repeat < repeats; repeat++) {
    await translate(event, others[repeat] ?? first);
    printMark('warm asked');
    await translate(event, tenth);
    printMark('warm answered');
  }
}

async function translate(event: APIGatewayProxyEventV2, text: string): Promise<string> {
  const timeEpoch = Date.now();
  const result = await handler(
    {
      ...event,
      requestContext: { ...event.requestContext, timeEpoch },
      body: JSON.stringify({ q: text, source: 'en', target: 'es' }),
    },
    contextUntil(timeEpoch + 30_000),
  );
  if (result.statusCode !== 200) throw new Error(`the function answered ${result.statusCode} ${result.body}`);
  const { translatedText } = JSON.parse(result.body ?? '') as { translatedText: string };
  return translatedText;
}

function contextUntil(deadline: number): Context {
  const stop = () => {
    throw new Error('only async handlers are called here');
  };
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'inference',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:inference',
    memoryLimitInMB: '4096',
    awsRequestId: '00000000-0000-4000-8000-000000000000',
    logGroupName: '/aws/lambda/inference',
    logStreamName: 'bench',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: stop,
    fail: stop,
    succeed: stop,
  };
}
