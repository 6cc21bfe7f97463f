import type { Offer } from '../act/action.ts';
import type { Badge } from '../view/badge.ts';
import { byId, make, setAttribute, setHidden, setText } from './elements.ts';
import { KeyedList } from './keyed-list.ts';

/** Makes what is in a cell. @returns brings it up to date */
export type Cell<Row> = (cell: HTMLTableCellElement) => (row: Row) => void;

/** What a cell says that has nothing to say. */
const NOTHING = '–';

export interface Table<Row> {
  show(rows: readonly Row[]): void;
}

/**
 * Rows of a table that is in the page, with its caption and columns. On a narrow screen each row becomes a card, whose cells carry
 * the columns' names; roles are written out, since a table that is not displayed as one is otherwise none any more.
 * @param cells one for each column; the first is the row's head
 */
export function createTable<Row extends { readonly id: string }>(id: string, cells: readonly Cell<Row>[]): Table<Row> {
  const table = byId(id, HTMLTableElement);
  table.setAttribute('role', 'table');
  for (const part of table.querySelectorAll('thead, tbody')) part.setAttribute('role', 'rowgroup');
  for (const row of table.querySelectorAll('thead tr')) row.setAttribute('role', 'row');
  for (const head of table.querySelectorAll('thead th')) head.setAttribute('role', 'columnheader');
  const names = Array.from(table.querySelectorAll('thead th'), (head) => head.textContent ?? '');
  const [body] = table.tBodies;
  if (body === undefined) throw new Error(`the table #${id} has no body`);
  const none = document.getElementById(`${id}-none`);
  const heir = document.getElementById(`${id}-title`);
  const list = new KeyedList<Row>(body, {
    keyOf: (row) => row.id,
    make: () => {
      const element = make('tr', { role: 'row' });
      const updates = cells.map((prepare, place) => {
        const cell =
          place === 0
            ? make('th', { role: 'rowheader', scope: 'row' })
            : make('td', { role: 'cell', 'data-name': names[place] ?? '' });
        element.append(cell);
        return prepare(cell);
      });
      return {
        element,
        update: (row) => {
          for (const update of updates) update(row);
        },
      };
    },
    ...(heir === null ? {} : { heir }),
  });
  return {
    show(rows) {
      list.show(rows);
      setHidden(table, rows.length === 0 && none !== null);
      if (none !== null) setHidden(none, rows.length > 0);
    },
  };
}

export function words<Row>(of: (row: Row) => string): Cell<Row> {
  return (cell) => {
    const text = make('span');
    cell.append(text);
    return (row) => {
      setText(text, of(row));
      cell.classList.toggle('empty', of(row) === NOTHING);
    };
  };
}

/** A name, and what is to be said of it in small letters. */
export function named<Row>(of: (row: Row) => readonly [name: string, note: string]): Cell<Row> {
  return (cell) => {
    const name = make('span', { class: 'name' });
    const note = make('span', { class: 'note' });
    cell.append(name, note);
    return (row) => {
      const [nameNow, noteNow] = of(row);
      setText(name, nameNow);
      setText(note, noteNow);
    };
  };
}

export function badge<Row>(of: (row: Row) => Badge, note: (row: Row) => string = () => ''): Cell<Row> {
  return (cell) => {
    const mark = make('span', { class: 'badge' });
    const beside = make('span', { class: 'note' });
    cell.append(mark, beside);
    return (row) => {
      showBadge(mark, of(row));
      setText(beside, note(row));
    };
  };
}

export function showBadge(element: HTMLElement, { word, tone }: Badge): void {
  setText(element, word);
  setAttribute(element, 'data-tone', tone);
}

/** How far something has come, with the same in words beside it. @param of 0 to 1; undefined: it is not on its way */
export function progress<Row>(of: (row: Row) => number | undefined, label: (row: Row) => string): Cell<Row> {
  return (cell) => {
    const bar = make('progress', { max: '1' });
    const text = make('span', { class: 'note' });
    cell.append(bar, text);
    return (row) => {
      const value = of(row);
      setHidden(bar, value === undefined);
      bar.value = value ?? 0;
      setAttribute(bar, 'aria-label', label(row));
      setText(text, value === undefined ? '' : label(row));
    };
  };
}

/** @param subject what the buttons are about, for those who hear them one by one */
export function offers<Row>(
  of: (row: Row) => readonly Offer[],
  subject: (row: Row) => string,
  choose: (offer: Offer) => void,
): Cell<Row> {
  return (cell) => {
    const group = make('div', { class: 'offers' });
    cell.append(group);
    const shown: { readonly button: HTMLButtonElement; offer: Offer }[] = [];
    return (row) => {
      of(row).forEach((offer, place) => {
        const known = shown[place] ?? added(offer);
        known.offer = offer;
        setText(known.button, offer.label);
        setAttribute(known.button, 'aria-label', `${offer.label} ${subject(row)}`);
        // Not `disabled`: a button that cannot be reached cannot say why.
        setAttribute(known.button, 'aria-disabled', offer.whyNot === undefined ? undefined : 'true');
        setAttribute(known.button, 'title', offer.whyNot);
      });
    };

    function added(offer: Offer) {
      const button = make('button', { type: 'button' });
      const one = { button, offer };
      button.addEventListener('click', () => choose(one.offer));
      group.append(button);
      shown.push(one);
      return one;
    }
  };
}
