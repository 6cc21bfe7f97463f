import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleFunctions } from './bundle.ts';
import { StageConfigError } from './config.ts';
import { addService } from './stack/add-service.ts';
import { checkedAssetMb } from './stack/asset-size.ts';
import { readShippedNeeds } from './stack/model-needs.ts';
import { readStageConfig } from './stages.ts';

/**
 * What the CDK's command line runs (cdk.json): `npx cdk synth -c stage=production`, and `-c architecture=x86_64` for the other kind of
 * processor. It bundles what it deploys into the folder of the assembly, which one synthesis has at a time, so that nothing stale is
 * deployed and no other build is disturbed.
 */
try {
  const app = new App();
  const folder = join(app.outdir, 'bundles');
  const given = (name: string): unknown => app.node.tryGetContext(name);
  const architecture = given('architecture');
  const config = readStageConfig(given('stage'), architecture === undefined ? {} : { architecture });
  const [functions, needs] = await Promise.all([
    bundleFunctions(join(folder, 'functions')),
    readShippedNeeds(join(folder, 'models')),
  ]);
  const code = new Map(functions.map((one) => [one.name, one.folder]));
  for (const [name, at] of code) console.error(`${name}: ${checkedAssetMb(name, at).toFixed(1)} MB unpacked`);
  addService(app, { config, code, needs });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof StageConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
