import type { AdminModel } from '../read/documents.ts';
import { type Action, subjectOf } from './action.ts';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** What is asked for before an action is carried out. */
export type Field =
  | {
      readonly kind: 'choice';
      readonly name: 'for' | 'version';
      readonly label: string;
      readonly choices: readonly Choice[];
      readonly initial: string;
    }
  | { readonly kind: 'words'; readonly name: 'why'; readonly label: string; readonly maxLength: number };

export interface ActionForm {
  readonly title: string;
  /** What will happen. */
  readonly explanation: string;
  readonly fields: readonly Field[];
  readonly confirm: string;
}

export interface ActionRequest {
  /** Below the API's root. */
  readonly path: string;
  readonly body: Readonly<Record<string, string | number>>;
}

const LONGEST_WHY = 200;

const wishFor: Field = {
  kind: 'choice',
  name: 'for',
  label: 'For how long',
  initial: '',
  choices: [
    { value: '', label: 'until somebody says otherwise' },
    { value: '30m', label: '30 minutes' },
    { value: '2h', label: '2 hours' },
    { value: '1d', label: '1 day' },
    { value: '7d', label: '7 days' },
  ],
};
const forceFor: Field = {
  kind: 'choice',
  name: 'for',
  label: 'For how long',
  initial: '1h',
  choices: [
    { value: '15m', label: '15 minutes' },
    { value: '1h', label: '1 hour' },
    { value: '6h', label: '6 hours' },
    { value: '1d', label: '1 day' },
    { value: '7d', label: '7 days' },
  ],
};
const why: Field = { kind: 'words', name: 'why', label: 'Why, for those who will wonder', maxLength: LONGEST_WHY };

/** @param model what is known of the model that the action is about */
export function formOf(action: Action, model: AdminModel | undefined): ActionForm {
  const subject = subjectOf(action);
  switch (action.kind) {
    case 'load':
      return {
        title: `Load ${subject}`,
        explanation: 'Every live instance loads it, and each that starts later. It is unloaded again when it is idle.',
        fields: [wishFor],
        confirm: 'Load',
      };
    case 'unload':
      return {
        title: `Unload ${subject}`,
        explanation: 'Every instance ends it when its last request is done. The next request loads it again.',
        fields: [],
        confirm: 'Unload',
      };
    case 'pin':
      return {
        title: `Pin ${subject}`,
        explanation: 'Every instance loads it and keeps it, however idle it is and whatever else needs the room.',
        fields: [wishFor],
        confirm: 'Pin',
      };
    case 'unpin':
      return {
        title: `Unpin ${subject}`,
        explanation: 'It stays loaded for now, and is unloaded when it is idle or others need the room.',
        fields: [],
        confirm: 'Unpin',
      };
    case 'activate':
      return {
        title: `Activate a version of ${subject}`,
        explanation: `Active is ${model?.active?.version ?? 'none'}. The new version loads beside it, takes over when it is READY, and the old one drains.`,
        fields: [versionField(model)],
        confirm: 'Activate',
      };
    case 'open':
      return {
        title: `Force ${subject} open`,
        explanation: 'All instances refuse its calls at once, whatever they would say themselves.',
        fields: [why, forceFor],
        confirm: 'Force open',
      };
    case 'closed':
      return {
        title: `Force ${subject} closed`,
        explanation: 'All instances let its calls through, however many fail.',
        fields: [why, forceFor],
        confirm: 'Force closed',
      };
    case 'release':
      return {
        title: `Release ${subject}`,
        explanation: 'It is closed, and from now on the calls decide again.',
        fields: [],
        confirm: 'Release',
      };
  }
}

/** @param values by the fields' names */
export function requestOf(
  action: Action,
  values: Readonly<Record<string, string>>,
  model: AdminModel | undefined,
): ActionRequest {
  const duration: Record<string, string> = values['for'] ? { for: values['for'] } : {};
  switch (action.kind) {
    case 'load':
    case 'unload':
    case 'pin':
    case 'unpin':
      return { path: `admin/models/${encodeURIComponent(action.model)}/${action.kind}`, body: duration };
    case 'activate': {
      const seq = model?.active?.seq ?? null;
      return {
        path: `admin/models/${encodeURIComponent(action.model)}/activate`,
        // Who has not seen the latest change is told so.
        body: { version: values['version'] ?? '', ...(seq === null ? {} : { expected_seq: seq }) },
      };
    }
    case 'open':
    case 'closed':
      return {
        path: `admin/breakers/${encodeURIComponent(action.breaker)}`,
        body: { state: action.kind, why: (values['why'] ?? '').trim(), ...duration },
      };
    case 'release':
      return { path: `admin/breakers/${encodeURIComponent(action.breaker)}`, body: { state: 'release' } };
  }
}

/** The previous one first: to go back is what is done in a hurry. */
function versionField(model: AdminModel | undefined): Field {
  const active = model?.active?.version;
  const previous = model?.active?.previous ?? undefined;
  const others = (model?.versions ?? []).filter((version) => version !== active && version !== previous).toReversed();
  const versions = [...(previous === undefined || previous === active ? [] : [previous]), ...others];
  return {
    kind: 'choice',
    name: 'version',
    label: 'Version',
    initial: versions[0] ?? '',
    choices: versions.map((version) => ({
      value: version,
      label: version === previous ? `${version} (the previous one)` : version,
    })),
  };
}
