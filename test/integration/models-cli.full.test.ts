import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { models } from '../support/models-cli.ts';
import { exportedFolder } from '../support/real-model.ts';
import { startBucket } from '../support/s3.ts';

const root = join(import.meta.dirname, '../..');
const shipped = join(root, 'infra/models/translate-es-en');

describe('npm run models', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let table: Awaited<ReturnType<typeof startTable>>;
  let env: NodeJS.ProcessEnv;
  let empty: string;

  beforeAll(async () => {
    const [kind] = dynamoServers;
    if (kind === undefined) {
      throw new Error('there is no DynamoDB to test with');
    }
    bucket = await startBucket();
    table = await startTable(kind);
    empty = await mkdtemp(join(tmpdir(), 'casalingua-cli-'));
    env = {
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      CASALINGUA_MODEL_BUCKET: bucket.bucket,
      CASALINGUA_TABLE: table.tableName,
    };
  });

  afterAll(async () => {
    await bucket.close();
    await table.close();
    await rm(empty, { recursive: true, force: true });
  });

  it('publishes, shows, activates, and does not mind being repeated', async () => {
    const published = await models(env, 'publish', shipped);
    expect(published).toMatchObject({ code: 0, stdout: expect.stringContaining('translate-es-en@1.0.0 is published') });
    expect((await models(env, 'list')).stdout).toBe('translate-es-en: 1.0.0\n');

    const activated = await models(env, 'activate', 'translate-es-en', '1.0.0', '--json');
    expect(JSON.parse(activated.stdout)).toMatchObject({ id: 'translate-es-en', version: '1.0.0', seq: 1 });

    const again = await models(env, 'publish', shipped, '--activate', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ id: 'translate-es-en', version: '1.0.0', active: true });
    const listed = await models(env, 'list', '--json');
    expect(JSON.parse(listed.stdout)).toEqual([{ id: 'translate-es-en', active: '1.0.0', versions: ['1.0.0'] }]);
  });

  it('leaves the active version alone when a deployment publishes again', async () => {
    const first = await models(
      env,
      'publish',
      join(root, 'infra/models/translate-en-es'),
      '--activate-first',
      '--json',
    );
    expect(JSON.parse(first.stdout)).toMatchObject({ id: 'translate-en-es', active: true });

    const again = await models(
      env,
      'publish',
      join(root, 'infra/models/translate-en-es'),
      '--activate-first',
      '--json',
    );
    expect(JSON.parse(again.stdout)).toMatchObject({ id: 'translate-en-es', active: false });
  });

  it('does not activate what is not published', async () => {
    const result = await models(env, 'activate', 'translate-es-en', '9.9.9');

    expect(result).toMatchObject({ code: 1, stderr: 'there is no version 9.9.9 of translate-es-en\n' });
  });

  it('imports, measures, publishes, activates, verifies, goes back and removes', async () => {
    const out = join(empty, 'imported');
    const importing = [
      'import',
      exportedFolder,
      '--out',
      out,
      '--id',
      'imported',
      '--licence',
      'CC-BY-4.0',
      '--activate',
    ];

    const imported = await models(env, ...importing, '--json');
    expect(JSON.parse(imported.stdout)).toMatchObject({
      id: 'imported',
      version: '1.0.0',
      published: true,
      active: true,
    });
    const { memory } = JSON.parse(await readFile(join(out, 'casalingua.json'), 'utf8'));
    expect(memory.peakMb).toBeGreaterThanOrEqual(memory.residentMb);
    expect((await models(env, 'verify', 'imported', '1.0.0')).stdout).toMatch(/^imported@1\.0\.0 is whole/);

    await models(env, ...importing, '--version', '1.1.0', '--no-measure');
    expect((await models(env, 'show', 'imported')).stdout).toMatch(/^imported: 1\.0\.0, 1\.1\.0\nactive: 1\.1\.0, by /);
    expect((await models(env, 'rollback', 'imported')).stdout).toMatch(/^imported@1\.0\.0 is active again/);
    expect(await models(env, 'remove', 'imported', '1.0.0')).toMatchObject({ code: 1 });
    expect((await models(env, 'remove', 'imported', '1.1.0')).stderr).toMatch(/a rollback goes back to/);
    expect((await models(env, 'remove', 'imported', '1.1.0', '--force')).stdout).toMatch(/is removed: 9 files/);
    expect(await models(env, 'warm', 'imported', '--timeout', '1s')).toMatchObject({ code: 75 });
  });

  it('tells where it cannot publish before it imports', async () => {
    const result = await models(
      {},
      'import',
      exportedFolder,
      '--out',
      join(empty, 'x'),
      '--licence',
      'MIT',
      '--publish',
    );

    expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('CASALINGUA_MODEL_BUCKET') });
  });

  it('says what is wrong with a folder in one line', async () => {
    await writeFile(join(empty, 'casalingua.json'), '{"id":"x"}');

    const result = await models(env, 'publish', empty);

    expect(result.code).toBe(1);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).toContain('casalingua.json');
  });

  it('tells wrong usage and a store that is away from other failures', async () => {
    expect((await models({ ...env, CASALINGUA_MODEL_BUCKET: undefined }, 'list')).code).toBe(2);
    expect((await models(env, 'wrong')).code).toBe(2);
    expect((await models(env, '--help')).code).toBe(0);
    for (const store of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL_DYNAMODB']) {
      const away = await models({ ...env, [store]: 'http://127.0.0.1:1' }, 'list');
      expect(away).toMatchObject({ code: 75, stderr: expect.stringContaining('ECONNREFUSED') });
      expect(away.stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});
