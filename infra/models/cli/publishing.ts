import type { Command } from 'commander';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { modelKey } from '../../../shared/repository/manifest.ts';
import { currentUser, print } from '../../operator-command.ts';
import { activate, activateFirst, list, publish, rollback, show } from '../commands.ts';
import { createProgressBar } from '../progress-bar.ts';
import { openRepository, type StoreOptions, withStores } from './options.ts';

export interface ActivateOptions {
  readonly activate?: boolean;
  readonly activateFirst?: boolean;
}

export interface Published {
  readonly manifest: Manifest;
  readonly bytes: number;
  readonly isActive: boolean;
}

/** `publish`, and which version is active: `activate`, `rollback`, `list`, `show`. */
export function addPublishing(program: Command): void {
  withStores(program.command('publish'))
    .description('publish a folder that holds casalingua.json and the model; an upload that was interrupted goes on')
    .argument('<folder>')
    .option('--activate', 'make it the active version')
    .option('--activate-first', 'make it the active version where none is active yet, as deployments do')
    .action(async (folder: string, options: StoreOptions & ActivateOptions) => {
      const published = await publishFolder(folder, options);
      const { manifest, bytes, isActive } = published;
      const { id, version, files } = manifest;
      print(options, { id, version, files: files.length, bytes, active: isActive }, publishedInWords(published));
    });

  withStores(program.command('activate'))
    .description('make a published version the active one')
    .argument('<id>')
    .argument('<version>')
    .action(async (id: string, version: string, options: StoreOptions) => {
      const { record, announced } = await activate(openRepository(options), id, version, currentUser());
      print(options, { id, ...record, announced }, `${id}@${record.version} is active${laterUnless(announced)}`);
    });

  withStores(program.command('rollback'))
    .description('make the version active again that was so before')
    .argument('<id>')
    .action(async (id: string, options: StoreOptions) => {
      const { record, announced } = await rollback(openRepository(options), id, currentUser());
      const text = `${id}@${record.version} is active again, instead of ${record.previous}${laterUnless(announced)}`;
      print(options, { id, ...record, announced }, text);
    });

  withStores(program.command('list'))
    .description('show every model, its versions and which one is active')
    .action(async (options: StoreOptions) => {
      const models = await list(openRepository(options));
      const lines = models.map(({ id, active, versions }) => {
        const marked = versions.map((version) => (version === active ? `${version} (active)` : version));
        return `${id}: ${marked.join(', ') || 'nothing published as a whole'}`;
      });
      print(options, models, lines.join('\n') || 'the repository is empty');
    });

  withStores(program.command('show'))
    .description('show a model, and the manifest of a version or of the active one')
    .argument('<id>')
    .argument('[version]')
    .action(async (id: string, version: string | undefined, options: StoreOptions) => {
      const shown = await show(openRepository(options), id, version);
      print(options, shown, shownInWords(shown));
    });
}

export async function publishFolder(folder: string, options: StoreOptions & ActivateOptions): Promise<Published> {
  const repository = openRepository(options, folder);
  const bar = createProgressBar();
  const manifest = await publish(repository, folder, bar.update).finally(bar.stop);
  const makeActive = options.activate ? activate : options.activateFirst ? activateFirst : undefined;
  const activation = await makeActive?.(repository, manifest.id, manifest.version, currentUser());
  return { manifest, bytes: bytesOf(manifest), isActive: activation !== undefined };
}

export function publishedInWords({ manifest, bytes, isActive }: Published): string {
  const published = `${modelKey(manifest)} is published: ${manifest.files.length} files, ${bytes} bytes`;
  return isActive ? `${published}; it is active` : published;
}

function shownInWords({
  id,
  active,
  previous,
  versions,
  activation,
  manifest,
}: Awaited<ReturnType<typeof show>>): string {
  const by = activation && `, by ${activation.by} at ${activation.at} (change ${activation.seq})`;
  const lines = [
    `${id}: ${versions.join(', ')}`,
    active === undefined ? 'nothing is active' : `active: ${active}${by}`,
    ...(previous === undefined ? [] : [`before that: ${previous}`]),
  ];
  if (manifest !== undefined) lines.push('', ...manifestInWords(manifest));
  return lines.join('\n');
}

function manifestInWords(manifest: Manifest): string[] {
  const { task, licence, source, memory, loading, graphs } = manifest;
  const directions =
    manifest.task === 'translation'
      ? `${manifest.prompt}, ${manifest.pairs.length} directions`
      : `${manifest.classifier ?? 'fasttext'}, ${manifest.languages.length} languages`;
  const laidOut = loading && `, weights in the order of ${loading.order === 'recorded' ? 'their use' : 'the file'}`;
  return [
    `${modelKey(manifest)}: ${task} (${directions}), ${manifest.files.length} files, ${bytesOf(manifest)} bytes`,
    `graphs ${graphs}${laidOut ?? ''}; ${memory.peakMb} MB while it loads, ${memory.residentMb} MB then`,
    `${licence}, from ${source}`,
  ];
}

function bytesOf({ files }: Manifest): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function laterUnless(announced: boolean): string {
  return announced ? '' : ' (running instances could not be told and will notice by themselves)';
}
