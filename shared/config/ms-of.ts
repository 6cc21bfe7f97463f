export function msOf(seconds: number): number {
  return Math.round(seconds * 1_000);
}
