/** A list price of AWS in US East (N. Virginia), without free tiers, discounts and taxes, read on 28 November 2026. */
export interface Price {
  /** US dollars for one of what `per` names. */
  readonly usd: number;
  readonly per: string;
  /** AWS's own page, which shows its figures by script. */
  readonly page: string;
  /** Where the figure was read. */
  readonly readAt: string;
  /** Of what was read there, as ISO 8601; undefined: it carries no date. */
  readonly dated?: string;
}

const lambda = {
  page: 'https://aws.amazon.com/lambda/pricing/',
  readAt: "a copy of AWS's Price List, AWSLambda, us-east-1",
  dated: '2026-08-31',
};
const dynamo = {
  page: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
  readAt: "a copy of AWS's Price List, AmazonDynamoDB, us-east-1",
  dated: '2026-08-31',
};
const fargate = {
  page: 'https://aws.amazon.com/fargate/pricing/',
  readAt: 'https://cloudburn.io/blog/aws-fargate-pricing',
  dated: '2026-03',
};
const balancer = {
  page: 'https://aws.amazon.com/elasticloadbalancing/pricing/',
  readAt: 'https://cloud-horizons.com/blog/alb-the-line-item-nobody-watches/',
  dated: '2026-05-08',
};

/** By processor. */
export type Architecture = 'arm64' | 'x86_64';

export interface ComputePrices {
  /** A GB of memory for a second of work. */
  readonly onDemand: Price;
  /** A GB of memory kept ready for a second, at work or not. */
  readonly kept: Price;
  /** A GB of memory for a second of work in an instance that is kept ready. */
  readonly provisioned: Price;
}

export const compute: Readonly<Record<Architecture, ComputePrices>> = {
  arm64: {
    onDemand: { usd: 0.0000133334, per: 'GB-second', ...lambda },
    kept: { usd: 0.0000033334, per: 'GB-second', ...lambda },
    provisioned: { usd: 0.0000077778, per: 'GB-second', ...lambda },
  },
  x86_64: {
    onDemand: { usd: 0.0000166667, per: 'GB-second', ...lambda },
    kept: { usd: 0.0000041667, per: 'GB-second', ...lambda },
    provisioned: { usd: 0.0000097222, per: 'GB-second', ...lambda },
  },
};

export const prices = {
  lambdaRequest: { usd: 0.2 / 1e6, per: 'request', ...lambda },
  httpApiRequest: {
    usd: 1 / 1e6,
    per: 'request of at most 512 KB',
    page: 'https://aws.amazon.com/api-gateway/pricing/',
    readAt: 'https://www.apigatewaycost.com/aws',
  },
  dynamoRead: { usd: 0.125 / 1e6, per: 'read request unit', ...dynamo },
  dynamoWrite: { usd: 0.625 / 1e6, per: 'write request unit', ...dynamo },
  logGb: {
    usd: 0.5,
    per: 'GB taken in',
    page: 'https://aws.amazon.com/cloudwatch/pricing/',
    readAt: 'https://c3x.dev/blog/cloudwatch-logs-cost-optimization',
    dated: '2026-06',
  },
  fargateCpuHour: { usd: 0.04048, per: 'vCPU-hour, x86', ...fargate },
  fargateGbHour: { usd: 0.004445, per: 'GB-hour, x86', ...fargate },
  balancerHour: { usd: 0.0225, per: 'hour', ...balancer },
  balancerUnitHour: { usd: 0.008, per: 'capacity unit-hour', ...balancer },
  translateCharacter: {
    usd: 15 / 1e6,
    per: 'character',
    page: 'https://aws.amazon.com/translate/pricing/',
    readAt: 'https://www.cloudroutehq.com/aws-ai/ai-translation-on-aws',
  },
} as const satisfies Readonly<Record<string, Price>>;
