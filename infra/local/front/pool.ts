/**
 * One function's instances as Lambda keeps them, without a process in sight: events in, effects out. An instance serves
 * one request at a time and is frozen between two.
 *
 *     STARTING --asked--> BUSY --answered--> FINISHING --asked--> IDLE (frozen) --requested--> BUSY
 *
 * `asked` is the runtime's call for its next request. An instance that ends leaves the pool, from any state.
 */
export type PoolEvent =
  | { readonly type: 'requested'; readonly request: string }
  | { readonly type: 'asked' | 'answered' | 'ended' | 'expired'; readonly instance: string }
  | { readonly type: 'closed' };

export type PoolEffect =
  /** `inRequest`: the initialisation failed once and is tried again, in the time of the request. */
  | { readonly type: 'start'; readonly instance: string; readonly inRequest: boolean }
  | { readonly type: 'invoke'; readonly instance: string; readonly request: string }
  | { readonly type: 'freeze' | 'end'; readonly instance: string }
  | { readonly type: 'fail' | 'throttle'; readonly request: string };

type Instance =
  | { readonly state: 'STARTING'; readonly request: string; readonly inRequest: boolean }
  | { readonly state: 'BUSY'; readonly request: string }
  /** It has answered and is about to ask; a request that comes in between is its next. */
  | { readonly state: 'FINISHING'; readonly next: string | undefined }
  | { readonly state: 'IDLE' };

export class Pool {
  readonly #name: string;
  readonly #max: number;
  /** In the order of their last change: the idle instance that worked last is taken first, as Lambda does. */
  readonly #instances = new Map<string, Instance>();
  #started = 0;
  #closed = false;

  constructor(name: string, max: number) {
    this.#name = name;
    this.#max = max;
  }

  states(): ReadonlyMap<string, Instance['state']> {
    return new Map(Array.from(this.#instances, ([id, instance]) => [id, instance.state]));
  }

  handle(event: PoolEvent): PoolEffect[] {
    switch (event.type) {
      case 'requested':
        return this.#requested(event.request);
      case 'asked':
        return this.#asked(event.instance);
      case 'answered':
        return this.#answered(event.instance);
      case 'ended':
        return this.#ended(event.instance);
      case 'expired':
        return this.#instances.get(event.instance)?.state === 'IDLE' ? [{ type: 'end', instance: event.instance }] : [];
      case 'closed':
        this.#closed = true;
        return Array.from(this.#instances.keys(), (instance) => ({ type: 'end', instance }));
    }
  }

  #requested(request: string): PoolEffect[] {
    if (this.#closed) return [{ type: 'throttle', request }];
    const idle = this.#last((instance) => instance.state === 'IDLE');
    if (idle !== undefined) return this.#invoke(idle, request);
    const finishing = this.#last((instance) => instance.state === 'FINISHING' && instance.next === undefined);
    if (finishing !== undefined) {
      this.#set(finishing, { state: 'FINISHING', next: request });
      return [];
    }
    if (this.#instances.size < this.#max) return this.#start(request, false);
    return [{ type: 'throttle', request }];
  }

  #asked(id: string): PoolEffect[] {
    const instance = this.#instances.get(id);
    switch (instance?.state) {
      case 'STARTING':
        return this.#invoke(id, instance.request);
      case 'FINISHING':
        if (instance.next !== undefined) return this.#invoke(id, instance.next);
        this.#set(id, { state: 'IDLE' });
        return [{ type: 'freeze', instance: id }];
      case 'BUSY':
        // It asks without having answered: that request is lost.
        this.#set(id, { state: 'IDLE' });
        return [
          { type: 'fail', request: instance.request },
          { type: 'freeze', instance: id },
        ];
      case 'IDLE':
      case undefined:
        return [];
    }
  }

  #answered(id: string): PoolEffect[] {
    if (this.#instances.get(id)?.state === 'BUSY') this.#set(id, { state: 'FINISHING', next: undefined });
    return [];
  }

  #ended(id: string): PoolEffect[] {
    const instance = this.#instances.get(id);
    this.#instances.delete(id);
    switch (instance?.state) {
      case 'STARTING':
        if (instance.inRequest || this.#closed) return [{ type: 'fail', request: instance.request }];
        return this.#start(instance.request, true);
      case 'BUSY':
        return [{ type: 'fail', request: instance.request }];
      case 'FINISHING':
        if (instance.next === undefined) return [];
        return this.#closed ? [{ type: 'fail', request: instance.next }] : this.#start(instance.next, false);
      case 'IDLE':
      case undefined:
        return [];
    }
  }

  #start(request: string, inRequest: boolean): PoolEffect[] {
    this.#started += 1;
    const instance = `${this.#name}-${this.#started}`;
    this.#set(instance, { state: 'STARTING', request, inRequest });
    return [{ type: 'start', instance, inRequest }];
  }

  #invoke(instance: string, request: string): PoolEffect[] {
    this.#set(instance, { state: 'BUSY', request });
    return [{ type: 'invoke', instance, request }];
  }

  #set(id: string, instance: Instance): void {
    this.#instances.delete(id);
    this.#instances.set(id, instance);
  }

  #last(matches: (instance: Instance) => boolean): string | undefined {
    return Array.from(this.#instances).findLast(([, instance]) => matches(instance))?.[0];
  }
}
