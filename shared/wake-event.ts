/** What an instance is called with when there is news for it and no request: it does what is due, and answers nothing. */
export interface WakeEvent {
  readonly type: 'casalingua.wake';
}

export const wakeEvent: WakeEvent = { type: 'casalingua.wake' };

export function isWakeEvent(event: unknown): event is WakeEvent {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === wakeEvent.type;
}
