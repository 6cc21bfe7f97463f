/** What one caller may ask for in a minute; what is undefined is limited by the default. */
export interface CallerLimits {
  readonly charactersPerMinute?: number;
  readonly requestsPerMinute?: number;
}
