import type { Action } from '../act/action.ts';
import { type ActionForm, type ActionRequest, type Field, formOf, requestOf } from '../act/action-form.ts';
import type { ActionAnswer, Pursuit } from '../act/pursuit.ts';
import type { AdminModel } from '../read/documents.ts';
import { type Answer, type Failure, inWords } from '../read/service.ts';
import { byId, make, setHidden, setText } from './elements.ts';

export interface ActionDialogPorts {
  /** What is known of a model, its published versions included; undefined: it cannot be read now. Does not reject. */
  readonly lookUp: (model: string) => Promise<AdminModel | undefined>;
  readonly send: (request: ActionRequest) => Promise<Answer<ActionAnswer>>;
  /** Something was done: it is time to look. */
  readonly done: () => void;
  readonly pursue: (action: Action, answer: ActionAnswer) => Pursuit;
}

export interface ActionDialog {
  open(action: Action): Promise<void>;
  /** There are new figures. */
  refresh(): void;
  /** An action that is not through is being watched. */
  readonly isPursuing: boolean;
}

type Stage =
  | { readonly kind: 'closed' | 'sending' }
  | {
      readonly kind: 'asking';
      readonly action: Action;
      readonly model: AdminModel | undefined;
      readonly form: ActionForm;
    }
  | { readonly kind: 'accepted'; readonly action: Action; readonly answer: ActionAnswer };

/** Asks before an action is carried out, and shows what comes of it. */
export function createActionDialog({ lookUp, send, done, pursue }: ActionDialogPorts): ActionDialog {
  const dialog = byId('action-dialog', HTMLDialogElement);
  const fields = byId('action-fields', HTMLElement);
  const answer = byId('action-answer', HTMLElement);
  const progress = byId('action-progress', HTMLProgressElement);
  const cancel = byId('action-cancel', HTMLButtonElement);
  const confirm = byId('action-confirm', HTMLButtonElement);
  let stage: Stage = { kind: 'closed' };
  let isOver = true;

  cancel.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    stage = { kind: 'closed' };
  });
  byId('action-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    if (stage.kind === 'accepted') dialog.close();
    if (stage.kind === 'asking') void carryOut(stage);
  });

  return {
    async open(action) {
      const model = 'model' in action ? await lookUp(action.model) : undefined;
      if (dialog.open) return;
      ask(action, model);
      dialog.showModal();
      (fields.querySelector<HTMLElement>('select, input') ?? confirm).focus();
    },
    refresh,
    get isPursuing() {
      return stage.kind === 'accepted' && !isOver;
    },
  };

  function ask(action: Action, model: AdminModel | undefined): void {
    const form = formOf(action, model);
    stage = { kind: 'asking', action, model, form };
    setText(byId('action-title', HTMLElement), form.title);
    setText(byId('action-explanation', HTMLElement), form.explanation);
    fields.replaceChildren(...form.fields.map(fieldOf));
    answer.replaceChildren();
    setHidden(progress, true);
    setHidden(cancel, false);
    setText(confirm, form.confirm);
    confirm.disabled = action.kind === 'activate' && form.fields.every((field) => nothingToChoose(field));
    if (confirm.disabled) answer.append(make('p', {}, 'There is no other version to activate.'));
  }

  async function carryOut(asked: Extract<Stage, { kind: 'asking' }>): Promise<void> {
    const { action, model } = asked;
    const request = requestOf(action, valuesOf(), model);
    stage = { kind: 'sending' };
    confirm.disabled = true;
    answer.replaceChildren(make('p', {}, 'Sending…'));
    const result = await send(request);
    confirm.disabled = false;
    if (dialog.open) show(result, asked);
    if (result.ok) done();
  }

  function show(result: Answer<ActionAnswer>, asked: Extract<Stage, { kind: 'asking' }>): void {
    if (!result.ok) {
      stage = asked;
      answer.replaceChildren(...failureLines(result.failure));
      setText(confirm, 'Try again');
      return;
    }
    stage = { kind: 'accepted', action: asked.action, answer: result.body };
    fields.replaceChildren();
    setHidden(cancel, true);
    setText(confirm, 'Close');
    confirm.focus();
    refresh();
  }

  function refresh(): void {
    if (stage.kind !== 'accepted') return;
    const pursuit = pursue(stage.action, stage.answer);
    isOver = pursuit.isOver;
    if (answer.textContent !== pursuit.words) answer.replaceChildren(make('p', {}, pursuit.words));
    setHidden(progress, isOver);
    if (pursuit.progress === undefined) progress.removeAttribute('value');
    else progress.value = pursuit.progress;
  }

  function valuesOf(): Readonly<Record<string, string>> {
    const controls = fields.querySelectorAll<HTMLSelectElement | HTMLInputElement>('select, input');
    return Object.fromEntries(Array.from(controls, ({ name, value }) => [name, value]));
  }
}

function fieldOf(field: Field): HTMLElement {
  switch (field.kind) {
    case 'choice': {
      const options = field.choices.map(({ value, label }) => make('option', { value }, label));
      const select = make('select', { name: field.name }, ...options);
      select.value = field.initial;
      return make('label', {}, field.label, select);
    }
    case 'words': {
      const { name, maxLength } = field;
      const attributes = { name, maxlength: String(maxLength), required: '', autocomplete: 'off', pattern: '.*\\S.*' };
      return make('label', {}, field.label, make('input', attributes));
    }
  }
}

function nothingToChoose(field: Field): boolean {
  return field.kind === 'choice' && field.choices.length === 0;
}

/** What somebody needs who asks for help is there, the request's number too. */
function failureLines(failure: Failure): readonly HTMLElement[] {
  const problem = failure.kind === 'silent' || failure.kind === 'unreadable' ? undefined : failure.problem;
  const wait =
    failure.kind === 'refused' && failure.retryAfterMs > 0 ? ` Try again in ${failure.retryAfterMs / 1_000} s.` : '';
  if (problem === undefined) return [make('p', { class: 'bad' }, `It was not done: ${inWords(failure)}.${wait}`)];
  const { title, detail, code, status, requestId } = problem;
  return [
    make('p', { class: 'bad' }, make('strong', {}, `${title}: `), `${detail}.${wait}`),
    make('p', { class: 'note' }, `HTTP ${status}, ${code}${requestId === undefined ? '' : `, request ${requestId}`}`),
  ];
}
