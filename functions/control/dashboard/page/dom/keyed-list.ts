/** What is shown of one item, for as long as there is such an item. */
export interface Shown<Item> {
  readonly element: HTMLElement;
  update(item: Item): void;
}

export interface KeyedListOptions<Item> {
  readonly keyOf: (item: Item) => string;
  readonly make: () => Shown<Item>;
  /** Takes the focus of an element that goes. @default - nobody does */
  readonly heir?: HTMLElement;
}

/** Children that are updated in place: an item keeps its element, and with it whoever is at a button of it. */
export class KeyedList<Item> {
  readonly #parent: HTMLElement;
  readonly #options: KeyedListOptions<Item>;
  #shown = new Map<string, Shown<Item>>();

  constructor(parent: HTMLElement, options: KeyedListOptions<Item>) {
    this.#parent = parent;
    this.#options = options;
  }

  show(items: readonly Item[]): void {
    const { keyOf, make, heir } = this.#options;
    const before = this.#shown;
    this.#shown = new Map();
    for (const item of items) {
      const key = keyOf(item);
      const shown = before.get(key) ?? make();
      before.delete(key);
      shown.update(item);
      this.#shown.set(key, shown);
    }
    for (const { element } of before.values()) {
      if (element.contains(document.activeElement)) heir?.focus();
      element.remove();
    }
    // Only what is out of place is moved: an element that moves loses its focus.
    let place = this.#parent.firstElementChild;
    for (const { element } of this.#shown.values()) {
      if (element === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(element, place);
    }
  }
}
