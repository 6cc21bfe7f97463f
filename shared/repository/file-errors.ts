/** Whether the file system threw this code, e.g. `ENOENT`. */
export function isFileError(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
