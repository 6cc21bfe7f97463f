/** The time that breakers go by. */
export interface BreakerClock {
  /** Wall clock, ms since the epoch: what people are told. */
  wall(): number;
  /** Ms that have passed; never goes back. */
  elapsed(): number;
}

/**
 * Elapsed time by the wall clock, which goes on while an instance is frozen. A wall clock that is set back loses what lies
 * between the last look and that moment, and nothing else: it cannot keep a breaker open for ever.
 */
export function createBreakerClock(now: () => number): BreakerClock {
  let last = now();
  let total = 0;
  return {
    wall: now,
    elapsed() {
      const wall = now();
      if (wall > last) total += wall - last;
      last = wall;
      return total;
    },
  };
}
