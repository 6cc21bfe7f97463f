/** How requests come in the course of a month. */
export interface Shape {
  readonly name: string;
  readonly description: string;
  readonly charactersPerMonth: number;
  readonly charactersPerRequest: number;
  /** Hours of the month in which requests come at all; 730 is all of them. */
  readonly busyHours: number;
  /** Rate of the busiest minutes / mean rate of the busy hours. */
  readonly peakFactor: number;
  /** Share of requests that start an instance, without provisioned concurrency. */
  readonly coldShare: number;
}

export const HOURS_PER_MONTH = 730;

export const shapes: readonly Shape[] = [
  {
    name: 'trickle',
    description: 'a message now and then',
    charactersPerMonth: 1e6,
    charactersPerRequest: 200,
    busyHours: HOURS_PER_MONTH,
    peakFactor: 5,
    coldShare: 0.5,
  },
  {
    name: 'office',
    description: 'case workers on weekdays, twelve hours a day',
    charactersPerMonth: 50e6,
    charactersPerRequest: 500,
    busyHours: 264,
    peakFactor: 4,
    coldShare: 0.02,
  },
  {
    name: 'steady',
    description: 'a portal, day and night',
    charactersPerMonth: 1e9,
    charactersPerRequest: 800,
    busyHours: HOURS_PER_MONTH,
    peakFactor: 3,
    coldShare: 0.001,
  },
  {
    name: 'batch',
    description: 'documents, two hours each night',
    charactersPerMonth: 500e6,
    charactersPerRequest: 10_000,
    busyHours: 60,
    peakFactor: 1.5,
    coldShare: 0.01,
  },
];
