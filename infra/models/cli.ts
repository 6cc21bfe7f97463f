import { Command, Option } from 'commander';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { createDynamoClient } from '../../shared/fleet/dynamo-client.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { createS3Client } from '../../shared/repository/s3-object-store.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { currentUser, patientStore, print, runCommand } from '../operator-command.ts';
import { activate, activateFirst, list, publish, type Repository } from './commands.ts';
import { createProgressBar } from './progress-bar.ts';

interface CommonOptions {
  readonly bucket: string;
  readonly table: string;
  readonly json?: boolean;
}

const program = new Command('models')
  .description('Publishes models into the repository and chooses which version is active.')
  .exitOverride();

withCommonOptions(program.command('publish'))
  .description('publish a folder that holds casalingua.json and the model in the Hugging Face ONNX layout')
  .argument('<folder>')
  .option('--activate', 'make it the active version')
  .option('--activate-first', 'make it the active version where none is active yet, as deployments do')
  .action(async (folder: string, options: CommonOptions & { activate?: boolean; activateFirst?: boolean }) => {
    const repository = openRepository(options);
    const bar = createProgressBar();
    const manifest = await publish(repository, folder, bar.update).finally(bar.stop);
    const bytes = manifest.files.reduce((sum, file) => sum + file.size, 0);
    const { id, version } = manifest;
    const makeActive = options.activate ? activate : options.activateFirst ? activateFirst : undefined;
    const activation = await makeActive?.(repository, id, version, currentUser());
    print(
      options,
      {
        id,
        version,
        files: manifest.files.length,
        bytes,
        active: activation !== undefined,
      },
      `${modelKey(manifest)} is published: ${manifest.files.length} files, ${bytes} bytes${activation ? '; it is active' : ''}`,
    );
  });

withCommonOptions(program.command('activate'))
  .description('make a published version the active one')
  .argument('<id>')
  .argument('<version>')
  .action(async (id: string, version: string, options: CommonOptions) => {
    const { record, announced } = await activate(openRepository(options), id, version, currentUser());
    const later = announced ? '' : ' (running instances could not be told and will notice by themselves)';
    print(options, { id, ...record, announced }, `${id}@${record.version} is active${later}`);
  });

withCommonOptions(program.command('list'))
  .description('show every model, its versions and which one is active')
  .action(async (options: CommonOptions) => {
    const models = await list(openRepository(options));
    const lines = models.map(({ id, active, versions }) => {
      const marked = versions.map((version) => (version === active ? `${version} (active)` : version));
      return `${id}: ${marked.join(', ') || 'nothing published as a whole'}`;
    });
    print(options, models, lines.join('\n') || 'the repository is empty');
  });

await runCommand(program);

function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--bucket <name>', 'S3 bucket').env('CASALINGUA_MODEL_BUCKET').makeOptionMandatory())
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE').makeOptionMandatory())
    .option('--json', 'print JSON');
}

function openRepository({ bucket, table }: CommonOptions): Repository {
  return {
    store: new S3PublishingStore(createS3Client({ attempts: patientStore.attempts }), bucket),
    active: new DynamoActiveVersions(createDynamoClient(patientStore), table),
  };
}
