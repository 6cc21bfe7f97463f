import type { LoadPermit, LoadPermits, PermitGrant, PermitSeeker } from '../../shared/host/load-permits.ts';

interface Wish {
  readonly model: string;
  readonly seeker: PermitSeeker;
  isGranted: boolean;
}

/** Permits that the test hands out, takes away, and counts. */
export class HandPermits implements LoadPermits {
  /** Those that nobody has given back. */
  readonly #wishes: Wish[] = [];
  /** How many were sought, ever. */
  seeks = 0;
  /** How often it was told to look at the clock. */
  wakes = 0;

  seek(model: string, seeker: PermitSeeker): LoadPermit {
    this.seeks++;
    const wish = { model, seeker, isGranted: false };
    this.#wishes.push(wish);
    return { release: () => this.#drop(wish) };
  }

  wake(): void {
    this.wakes++;
  }

  /** Models whose permit is sought, in the order in which it was asked for. */
  get sought(): string[] {
    return this.#wishes.filter(({ isGranted }) => !isGranted).map(({ model }) => model);
  }

  /** Models whose permit is held. */
  get held(): string[] {
    return this.#wishes.filter(({ isGranted }) => isGranted).map(({ model }) => model);
  }

  grant(model: string, grant: PermitGrant = 'permit'): void {
    const wish = this.#find(model, false);
    wish.isGranted = true;
    wish.seeker.granted(grant);
  }

  lose(model: string): void {
    const wish = this.#find(model, true);
    this.#drop(wish);
    wish.seeker.lost();
  }

  #find(model: string, isGranted: boolean): Wish {
    const wish = this.#wishes.find((each) => each.model === model && each.isGranted === isGranted);
    if (wish === undefined) throw new Error(`no permit of ${model} is ${isGranted ? 'held' : 'sought'}`);
    return wish;
  }

  #drop(wish: Wish): void {
    const place = this.#wishes.indexOf(wish);
    if (place >= 0) this.#wishes.splice(place, 1);
  }
}
