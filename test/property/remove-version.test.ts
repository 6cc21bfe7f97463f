import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeVersion } from '../../infra/models/remove-version.ts';
import { CasaLinguaError } from '../../shared/errors.ts';
import { activateVersion } from '../../shared/fleet/activate-version.ts';
import type { Activation, ActiveVersionRecord } from '../../shared/fleet/active-versions.ts';
import { ObjectNotFoundError, VersionConflictError } from '../../shared/repository/errors.ts';
import { objectKey } from '../../shared/repository/manifest-store.ts';
import type { PublishingStore, RemovingStore } from '../../shared/repository/object-store.ts';
import { manifestOf } from './download-fault-store.ts';

const ID = 'm';
const VERSIONS = ['1', '2', '3'];

/** S3 and DynamoDB, both strongly consistent; when each call takes effect is the scheduler's to say. */
function world(scheduler: fc.Scheduler, active: string, previous: string | undefined) {
  const objects = new Map<string, string>();
  for (const version of VERSIONS) {
    const manifest = manifestOf({ 'a.onnx': Buffer.from('x') }, version, ID);
    objects.set(objectKey(manifest, 'manifest.json'), JSON.stringify(manifest));
    objects.set(objectKey(manifest, 'a.onnx'), 'x');
  }
  let record: ActiveVersionRecord = { version: active, seq: 1, by: 'first', at: 0, previous, request: 'first' };
  const later = async <Value>(effect: () => Value): Promise<Value> => {
    await scheduler.schedule(Promise.resolve());
    return effect();
  };
  const store = {
    list: (prefix: string) =>
      later(() => ({
        objects: [...objects].flatMap(([key, { length }]) =>
          key.startsWith(prefix) ? [{ key, size: length, etag: '' }] : [],
        ),
        folders: [],
      })),
    getText: (key: string) =>
      later(() => {
        const text = objects.get(key);
        if (text === undefined) throw new ObjectNotFoundError(`no ${key}`);
        return text;
      }),
    putText: (key: string, text: string) => later(() => !objects.has(key) && objects.set(key, text) !== undefined),
    delete: (key: string) => later(() => void objects.delete(key)),
  } as unknown as PublishingStore & RemovingStore;
  const versions = {
    current: () => later(() => record),
    activate: ({ version, by, request, expectedSeq }: Activation) =>
      later(() => {
        if (record.seq !== expectedSeq) throw new VersionConflictError('somebody was faster');
        record = { version, seq: expectedSeq + 1, by, at: 0, previous: record.version, request };
        return { record, announced: true };
      }),
  };
  const fence = ({ request, expectedSeq }: { request: string; expectedSeq: number }) =>
    later(() => {
      if (record.seq !== expectedSeq) throw new VersionConflictError('somebody was faster');
      record = { ...record, seq: expectedSeq + 1, request };
    });
  const isWhole = (version: string) =>
    ['manifest.json', 'a.onnx'].every((path) => objects.has(objectKey({ id: ID, version }, path)));
  return { store, versions: { ...versions, fence }, isWhole, record: () => record };
}

const version = fc.constantFrom(...VERSIONS);
const action = fc.record({ kind: fc.constantFrom('remove', 'activate'), version });

describe('removing versions while others are made active', () => {
  it('leaves the active version whole, whatever happens when', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        version,
        fc.option(version, { nil: undefined }),
        fc.uniqueArray(action, { minLength: 2, maxLength: 4, selector: ({ kind, version: of }) => `${kind} ${of}` }),
        async (scheduler, active, previous, actions) => {
          const { store, versions, isWhole, record } = world(scheduler, active, previous);
          const done = actions.map(({ kind, version: wanted }, index) => {
            const request = `request ${index}`;
            const act =
              kind === 'remove'
                ? removeVersion(
                    { store, active: versions, pins: new Map() },
                    { id: ID, version: wanted },
                    { force: true },
                  )
                : activateVersion({ store, active: versions }, { id: ID, version: wanted, by: 'me', request });
            return act.then(
              () => 'done',
              (thrown: unknown) => {
                expect(thrown).toBeInstanceOf(CasaLinguaError);
                return 'refused';
              },
            );
          });

          await scheduler.waitFor(Promise.all(done));

          const now = record().version;
          expect(isWhole(now)).toBe(true);
        },
      ),
      { numRuns: 1000 },
    ));
});
