import { type Command, InvalidArgumentError, Option } from 'commander';
import parseDuration from 'parse-duration';
import { DynamoActiveVersions } from '../../../shared/fleet/dynamo-active-versions.ts';
import { createDynamoClient } from '../../../shared/fleet/dynamo-client.ts';
import { createS3Client } from '../../../shared/repository/s3-object-store.ts';
import { S3PublishingStore } from '../../../shared/repository/s3-publishing-store.ts';
import { patientStore } from '../../operator-command.ts';
import type { Repository } from '../commands.ts';
import { FolderUploadJournal } from '../upload-journal.ts';

export interface StoreOptions {
  readonly bucket: string;
  readonly table: string;
  readonly json?: boolean;
}

/** For commands that work on the repository. */
export function withStores(command: Command): Command {
  return withJson(
    command
      .addOption(new Option('--bucket <name>', 'S3 bucket').env('CASALINGUA_MODEL_BUCKET').makeOptionMandatory())
      .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE').makeOptionMandatory()),
  );
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

/** @param folder that is published from: there it is remembered how far an upload got */
export function openRepository({ bucket, table }: StoreOptions, folder?: string): Repository {
  const journal = folder === undefined ? undefined : new FolderUploadJournal(folder);
  return {
    store: new S3PublishingStore(createS3Client({ attempts: patientStore.attempts }), bucket, journal),
    active: new DynamoActiveVersions(createDynamoClient(patientStore), table),
  };
}

export function durationOf(text: string): number {
  const ms = parseDuration(text) ?? 0;
  if (ms > 0) return ms;
  throw new InvalidArgumentError('a duration like 30m or 1h30m');
}

export function listOf(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.every((entry) => entry !== '')) return entries;
  throw new InvalidArgumentError('a list like en,es,fr');
}

/** `en-fr`, or `pt-BR:en` where a code has a hyphen itself. */
export function pairsOf(text: string): { source: string; target: string }[] {
  return listOf(text).map((entry) => {
    const [source, target, ...more] = entry.split(entry.includes(':') ? ':' : '-');
    if (source && target && more.length === 0) return { source, target };
    throw new InvalidArgumentError('directions like en-fr,fr-en, or en:pt-BR');
  });
}

export function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('a whole number from 1');
}
