/** Where `npm start` keeps its stores, as a container reaches them. */
export interface LocalPlaces {
  /** E.g. `host.docker.internal`. */
  readonly host: string;
  readonly s3Port: number;
  readonly dynamoPort: number;
}

/** What the functions are told instead of what is only known once deployed: the stores of `npm start`. */
export function localVariables({ host, s3Port, dynamoPort }: LocalPlaces): Readonly<Record<string, string>> {
  return {
    CASALINGUA_MODEL_BUCKET: 'casalingua-models',
    CASALINGUA_TABLE: 'casalingua',
    // What runs here cannot be woken by Lambda.
    CASALINGUA_INFERENCE_FUNCTIONS: '',
    AWS_ENDPOINT_URL_S3: `http://${host}:${s3Port}`,
    AWS_ENDPOINT_URL_DYNAMODB: `http://${host}:${dynamoPort}`,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
}
