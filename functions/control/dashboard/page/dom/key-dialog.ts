import { byId, setHidden, setText } from './elements.ts';

export interface KeyDialogPorts {
  /** Tries the key and keeps it if it is right. @returns in words why it is not; undefined: it is. Does not reject */
  readonly use: (key: string) => Promise<string | undefined>;
  readonly forget: () => void;
  readonly hasKey: () => boolean;
}

export interface KeyDialog {
  /** @param why in words, what it is needed for */
  open(why: string): void;
}

export function createKeyDialog({ use, forget, hasKey }: KeyDialogPorts): KeyDialog {
  const dialog = byId('key-dialog', HTMLDialogElement);
  const input = byId('key-input', HTMLInputElement);
  const answer = byId('key-answer', HTMLElement);
  const forgetButton = byId('key-forget', HTMLButtonElement);

  byId('key-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
  forgetButton.addEventListener('click', () => {
    forget();
    dialog.close();
  });
  // Nobody finds it in the page afterwards.
  dialog.addEventListener('close', () => {
    input.value = '';
  });
  byId('key-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    setHidden(answer, true);
    void use(input.value.trim()).then((wrong) => {
      if (wrong === undefined) {
        dialog.close();
        return;
      }
      setText(answer, wrong);
      setHidden(answer, false);
      input.select();
      input.focus();
    });
  });

  return {
    open(why) {
      if (dialog.open) return;
      setText(byId('key-why', HTMLElement), why);
      setHidden(answer, true);
      setHidden(forgetButton, !hasKey());
      dialog.showModal();
      input.focus();
    },
  };
}
