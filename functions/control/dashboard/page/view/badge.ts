/** How something is: the word says it; shape and colour, which go by the tone, only help the eye. */
export interface Badge {
  readonly word: string;
  readonly tone: Tone;
}

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

const modelTones: Readonly<Record<string, Tone>> = {
  READY: 'good',
  WARMING: 'busy',
  INITIALIZING: 'busy',
  DOWNLOADING: 'busy',
  QUEUED: 'busy',
  DRAINING: 'warn',
  FAILED: 'bad',
  UNLOADED: 'quiet',
};

const breakerTones: Readonly<Record<string, Tone>> = {
  CLOSED: 'good',
  RAMP: 'busy',
  HALF_OPEN: 'warn',
  OPEN: 'bad',
  FORCED_OPEN: 'bad',
  FORCED_CLOSED: 'warn',
};

const statusTones: Readonly<Record<string, Tone>> = { healthy: 'good', degraded: 'warn', unhealthy: 'bad' };

export function modelBadge(state: string): Badge {
  return { word: state, tone: modelTones[state] ?? 'quiet' };
}

export function breakerBadge(state: string): Badge {
  return { word: state.replaceAll('_', ' '), tone: breakerTones[state] ?? 'warn' };
}

export function statusBadge(status: string): Badge {
  return { word: status.toUpperCase(), tone: statusTones[status] ?? 'warn' };
}
