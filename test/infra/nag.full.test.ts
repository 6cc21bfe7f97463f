import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import type { StageInput } from '../../infra/config.ts';
import { addService } from '../../infra/stack/add-service.ts';
import type { ServiceStack } from '../../infra/stack/service-stack.ts';
import { readStageConfig } from '../../infra/stages.ts';
import { assemblyFolder, context, placeholderCode, shippedNeeds } from './support/synthesise.ts';

/** Synthesises a stage under the checks of cdk-nag and CDK's own; throws where either finds something. */
function check(
  stage: StageInput['stage'],
  changes: Partial<StageInput> = {},
  change: (stack: ServiceStack) => void = () => {},
): void {
  const app = new App({ context: { ...context }, outdir: assemblyFolder() });
  const config = readStageConfig(stage, changes);
  change(addService(app, { config, code: placeholderCode(), needs: shippedNeeds }));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}

describe('cdk-nag', () => {
  it.each<[string, StageInput['stage'], Partial<StageInput>]>([
    ['dev', 'dev', {}],
    ['staging', 'staging', {}],
    ['production', 'production', {}],
    [
      "production with a key of the account's own, tokens and browsers",
      'production',
      {
        encryption: 'customer-key',
        region: 'eu-central-1',
        corsOrigins: ['https://casalingua.example'],
        authorization: {
          callers: { kind: 'jwt', issuer: 'https://issuer.example', audience: ['casalingua'] },
          operators: { kind: 'iam' },
        },
      },
    ],
  ])('finds nothing in %s', (_, stage, changes) => {
    expect(() => check(stage, changes)).not.toThrow();
  });

  it('is at work: it finds a bucket that takes plain HTTP', () => {
    const careless = () =>
      check('dev', {}, (stack) => {
        new Bucket(stack, 'Careless');
      });

    expect(careless).toThrow(/AwsSolutions-S10/);
  });

  it('hears a reason for everything that it is told to overlook, and no rule is overlooked as a whole', () => {
    const stack = join(import.meta.dirname, '..', '..', 'infra', 'stack');
    const texts = ['acknowledged-rights.ts', 'api.ts', 'canary.ts', 'suspend-scaling.ts'].map((name) =>
      readFileSync(join(stack, name), 'utf8'),
    );

    // IAM4 and IAM5 with what was found in brackets; routes one by one.
    for (const text of texts) expect(text).not.toMatch(/AwsSolutions-IAM[45]'/);
  });
});
