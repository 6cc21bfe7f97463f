import type { AdminModelsDocument, HealthDocument } from '../read/documents.ts';
import { countsInWords, moment } from '../view/words.ts';
import type { Action, WishAction } from './action.ts';

/** What the service answers to an action, as far as it is looked at. */
export interface ActionAnswer {
  readonly seq?: number;
  readonly version?: string;
  readonly changed?: boolean;
  readonly announced?: boolean;
  readonly woken?: boolean;
  readonly state?: string;
  readonly until?: string | null;
}

/** How far an action has come that the service has accepted. */
export interface Pursuit {
  readonly words: string;
  /** 0 to 1; undefined: cannot be told. */
  readonly progress: number | undefined;
  readonly isOver: boolean;
}

/** @param answer the service's @param now the service's wall clock, ms */
export function pursue(
  action: Action,
  answer: ActionAnswer,
  health: HealthDocument,
  models: AdminModelsDocument | undefined,
  now: number,
): Pursuit {
  switch (action.kind) {
    case 'load':
    case 'pin':
    case 'unload':
    case 'unpin':
      return pursueWish(action, answer, models);
    case 'activate':
      return pursueActivation(action.model, answer, health);
    case 'open':
    case 'closed':
    case 'release': {
      const until = answer.until ? ` until ${moment(Date.parse(answer.until), now)}` : '';
      const words = `It is ${(answer.state ?? 'changed').replaceAll('_', ' ')}${until}. Instances learn of it within seconds.`;
      return { words, progress: 1, isOver: true };
    }
  }
}

function pursueWish(
  action: WishAction,
  { seq = 0, announced, woken }: ActionAnswer,
  models: AdminModelsDocument | undefined,
): Pursuit {
  const model = models?.models.find(({ id }) => id === action.model);
  const wish = model?.wish ?? undefined;
  const told = `Accepted as wish ${seq}.${announced === false ? ' Instances learn of it up to a minute later.' : ''}`;
  if (model === undefined || wish === undefined || wish.seq < seq) {
    return { words: told, progress: undefined, isOver: false };
  }
  if (wish.seq > seq) return { words: `${told} ${wish.by} wants it otherwise by now.`, progress: 1, isOver: true };
  if (wish.instances === 0) {
    const when = woken === false ? 'it happens with the next request' : 'one is being woken';
    return { words: `${told} No instance is live: ${when}.`, progress: undefined, isOver: false };
  }
  const isDone = wish.carried_out >= wish.instances;
  const states = countsInWords(model.states) || 'not loaded anywhere';
  const words = `${told} ${wish.carried_out} of ${wish.instances} instances have taken it up. Now ${states}.`;
  if (model.status === 'FAILED') return { words, progress: 1, isOver: true };
  const isReached = action.kind === 'load' || action.kind === 'pin' ? model.status === 'READY' : true;
  return {
    words,
    progress: wish.want === 'unloaded' ? wish.carried_out / wish.instances : model.loading_progress,
    isOver: isDone && isReached,
  };
}

function pursueActivation(id: string, { version, changed }: ActionAnswer, health: HealthDocument): Pursuit {
  if (changed === false) return { words: `${version} was active already.`, progress: 1, isOver: true };
  const held = health.instances.flatMap(({ models }) => models.filter((model) => model.name === id));
  const ready = held.filter((model) => model.version === version && model.state === 'READY').length;
  const old = held.filter((model) => model.version !== version && model.state !== 'UNLOADED').length;
  if (held.every(({ state }) => state === 'UNLOADED')) {
    return { words: `${version} is active. It loads when it is asked for.`, progress: 1, isOver: true };
  }
  const words = `${version} is active: READY on ${ready}, the old one is still on ${old}.`;
  return { words, progress: ready + old === 0 ? undefined : ready / (ready + old), isOver: ready > 0 && old === 0 };
}
