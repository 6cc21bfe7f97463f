/**
 * One function's instances as Lambda keeps them, without a process in sight: events in, effects out. An instance serves
 * one request at a time and is frozen between two.
 *
 *     STARTING --asked--> BUSY --answered--> FINISHING --asked--> IDLE (frozen) --requested--> BUSY
 *     PROVISIONING --asked--> IDLE
 *
 * `asked` is the runtime's call for its next request. An instance that ends leaves the pool, from any state. Provisioned
 * instances start when the pool opens, are taken first, stay however long they are idle, and are replaced when they end, unless
 * they failed to initialise: then the pool goes on with one less.
 */
export type PoolEvent =
  | { readonly type: 'requested'; readonly request: string }
  | { readonly type: 'asked' | 'answered' | 'ended' | 'expired'; readonly instance: string }
  | { readonly type: 'opened' | 'closed' };

export type PoolEffect =
  /** `inRequest`: the initialisation failed once and is tried again, in the time of the request. */
  | { readonly type: 'start'; readonly instance: string; readonly inRequest: boolean }
  | { readonly type: 'provision' | 'freeze' | 'end'; readonly instance: string }
  | { readonly type: 'invoke'; readonly instance: string; readonly request: string }
  | { readonly type: 'fail' | 'throttle'; readonly request: string };

type Instance =
  | { readonly state: 'PROVISIONING' }
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
  /** Those of them that were started without a request. */
  readonly #provisioned = new Set<string>();
  /** How many of those there should be. */
  #wanted: number;
  #started = 0;
  #closed = false;

  /** @param provisioned of the `max`, how many are started when the pool opens */
  constructor(name: string, max: number, provisioned = 0) {
    this.#name = name;
    this.#max = max;
    this.#wanted = provisioned;
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
        // A request that waits for an instance is served before one is started that nobody waits for.
        return [...this.#ended(event.instance), ...this.#provision()];
      case 'expired':
        return this.#expired(event.instance);
      case 'opened':
        return this.#provision();
      case 'closed':
        this.#closed = true;
        return Array.from(this.#instances.keys(), (instance) => ({ type: 'end', instance }));
    }
  }

  #requested(request: string): PoolEffect[] {
    if (this.#closed) return [{ type: 'throttle', request }];
    const idle =
      this.#last((instance, id) => instance.state === 'IDLE' && this.#provisioned.has(id)) ??
      this.#last((instance) => instance.state === 'IDLE');
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
      case 'PROVISIONING':
        this.#set(id, { state: 'IDLE' });
        return [{ type: 'freeze', instance: id }];
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
    this.#provisioned.delete(id);
    switch (instance?.state) {
      case 'PROVISIONING':
        this.#wanted -= 1;
        return [];
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

  #expired(instance: string): PoolEffect[] {
    if (this.#provisioned.has(instance) || this.#instances.get(instance)?.state !== 'IDLE') return [];
    return [{ type: 'end', instance }];
  }

  #start(request: string, inRequest: boolean): PoolEffect[] {
    const instance = this.#newId();
    this.#set(instance, { state: 'STARTING', request, inRequest });
    return [{ type: 'start', instance, inRequest }];
  }

  /** Starts as many provisioned instances as are missing and have room. */
  #provision(): PoolEffect[] {
    const effects: PoolEffect[] = [];
    while (!this.#closed && this.#provisioned.size < this.#wanted && this.#instances.size < this.#max) {
      const instance = this.#newId();
      this.#provisioned.add(instance);
      this.#set(instance, { state: 'PROVISIONING' });
      effects.push({ type: 'provision', instance });
    }
    return effects;
  }

  #newId(): string {
    this.#started += 1;
    return `${this.#name}-${this.#started}`;
  }

  #invoke(instance: string, request: string): PoolEffect[] {
    this.#set(instance, { state: 'BUSY', request });
    return [{ type: 'invoke', instance, request }];
  }

  #set(id: string, instance: Instance): void {
    this.#instances.delete(id);
    this.#instances.set(id, instance);
  }

  #last(matches: (instance: Instance, id: string) => boolean): string | undefined {
    return Array.from(this.#instances).findLast(([id, instance]) => matches(instance, id))?.[0];
  }
}
