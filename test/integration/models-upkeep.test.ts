import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { activate, publish, type Repository, rollback, show } from '../../infra/models/commands.ts';
import { fetchVersion } from '../../infra/models/fetch-version.ts';
import { removeVersion } from '../../infra/models/remove-version.ts';
import { verifyVersion } from '../../infra/models/verify-version.ts';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { describeFolder } from '../../shared/repository/publisher.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { dynamoClient, dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { modelFolder } from '../support/real-model.ts';
import { startBucket } from '../support/s3.ts';

describe('keeping the repository in order', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let table: Awaited<ReturnType<typeof startTable>>;
  let repository: Repository;
  let work: string;
  let id: string;

  beforeAll(async () => {
    const [kind] = dynamoServers;
    if (kind === undefined) throw new Error('there is no DynamoDB to test with');
    bucket = await startBucket();
    table = await startTable(kind);
    work = await mkdtemp(join(tmpdir(), 'casalingua-upkeep-'));
    repository = {
      store: new S3PublishingStore(bucket.client, bucket.bucket),
      active: new DynamoActiveVersions(dynamoClient(table.endpoint), table.tableName),
    };
  });
  afterAll(async () => {
    await bucket.close();
    await table.close();
    await rm(work, { recursive: true, force: true });
  });

  beforeEach(async ({ task }) => {
    id = task.id.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    for (const version of ['1', '2', '3']) {
      const folder = join(work, id, version);
      await cp(modelFolder['language-detection'], folder, { recursive: true });
      const path = join(folder, 'casalingua.json');
      const description = JSON.parse(await readFile(path, 'utf8'));
      await writeFile(path, JSON.stringify({ ...description, id, version, licence: `licence ${version}` }));
      await publish(repository, folder);
    }
  });

  const remove = (version: string, { force = false, pins = {} as Record<string, { version: string }> } = {}) =>
    removeVersion({ ...repository, pins: new Map(Object.entries(pins)) }, { id, version }, { force });
  const current = () => repository.active.current(id);

  it('goes back to the version before, and forth again', async () => {
    await expect(rollback(repository, id, 'me')).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
    await activate(repository, id, '1', 'me');
    await expect(rollback(repository, id, 'me')).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
    await activate(repository, id, '2', 'me');

    await rollback(repository, id, 'you');
    expect(await current()).toMatchObject({ version: '1', previous: '2', by: 'you', seq: 3 });
    await rollback(repository, id, 'you');
    expect(await current()).toMatchObject({ version: '2', seq: 4 });
  });

  it('shows what is published and active, and the manifest that was asked for', async () => {
    await activate(repository, id, '2', 'me');

    expect(await show(repository, id)).toMatchObject({
      versions: ['1', '2', '3'],
      active: '2',
      activation: { seq: 1, by: 'me' },
      manifest: { licence: 'licence 2' },
    });
    expect(await show(repository, id, '3')).toMatchObject({ manifest: { licence: 'licence 3' } });
    await expect(show(repository, id, '9')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
    await expect(show(repository, `${id}-none`)).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  });

  it('removes a version, and none that is active, pinned, or the one to go back to', async () => {
    await activate(repository, id, '1', 'me');
    await activate(repository, id, '2', 'me');

    await expect(remove('2')).rejects.toMatchObject({ code: 'VERSION_IN_USE' });
    await expect(remove('2', { force: true })).rejects.toMatchObject({ code: 'VERSION_IN_USE' });
    await expect(remove('1')).rejects.toThrow(/a rollback goes back to/);
    await expect(remove('3', { force: true, pins: { [id]: { version: '3' } } })).rejects.toThrow(/is pinned/);
    await expect(remove('9')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });

    expect(await remove('3')).toMatchObject({ files: 6 });
    expect((await repository.store.list(`models/${id}/3/`)).objects).toEqual([]);
    expect(await current()).toMatchObject({ version: '2', previous: '1', by: 'me' });
    await remove('1', { force: true });
    await expect(rollback(repository, id, 'me')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
    await expect(activate(repository, id, '3', 'me')).rejects.toMatchObject({ code: 'UNKNOWN_VERSION' });
  });

  it('removes what an attempt left that ended in the middle only when it is told to', async () => {
    await repository.store.delete(`models/${id}/3/manifest.json`);

    await expect(remove('3')).rejects.toThrow(/has no manifest/);
    expect(await remove('3', { force: true })).toMatchObject({ files: 5 });
  });

  it('finds a version whole, or says which files are not', async () => {
    expect(await verifyVersion(repository.store, { id, version: '1' })).toMatchObject({ damages: [] });
    const key = (path: string) => `models/${id}/1/${path}`;
    // On the disk of the server, as a fault there would do it.
    const data = join(bucket.folder, bucket.bucket, 'data');
    const model = await readFile(join(modelFolder['language-detection'], 'model.onnx'));
    for (const name of await readdir(data)) {
      const path = join(data, name);
      const bytes = await readFile(path);
      if (bytes.equals(model)) await writeFile(path, bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1));
    }
    await repository.store.delete(key('labels.json'));
    await repository.store.delete(key('README.md'));
    await repository.store.putText(key('README.md'), 'another');

    const { damages } = await verifyVersion(repository.store, { id, version: '1' });

    expect(damages).toEqual([
      expect.stringMatching(/^README\.md has 7 bytes, not \d+$/),
      'labels.json is missing',
      'model.onnx has other content than its sha256',
    ]);
  });

  it('fetches a version into a folder that could be published again', async () => {
    const folder = join(work, `${id}-fetched`);

    await fetchVersion(repository.store, { id, version: '2' }, folder);

    const { manifest } = await show(repository, id, '2');
    expect(await describeFolder(folder)).toEqual(manifest);
  });
});
