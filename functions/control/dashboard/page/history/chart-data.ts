/** One line or layer of a chart; null where nothing is known. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** What a chart shows, without a thought of how. */
export interface ChartData {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  /** One on top of the other, the lowest first. */
  readonly layers: readonly Series[];
  readonly lines: readonly Series[];
}

/** Places of rows for those who read a chart as a table: the newest first, so many at most, evenly spread. */
export function tablePlaces(count: number, most: number): readonly number[] {
  if (count <= most) return Array.from({ length: count }, (_, place) => count - 1 - place);
  const step = (count - 1) / (most - 1);
  return Array.from({ length: most }, (_, row) => Math.round(count - 1 - row * step));
}

/** Each layer's upper edge: what is below it and itself. */
export function stacked(layers: readonly Series[]): readonly Series[] {
  const below: number[] = [];
  return layers.map(({ name, values }) => ({
    name,
    values: values.map((value, place) => {
      below[place] = (below[place] ?? 0) + (value ?? 0);
      return below[place] ?? 0;
    }),
  }));
}
