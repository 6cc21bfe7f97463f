import { userInfo } from 'node:os';
import { type Command, CommanderError } from 'commander';
import { CasaLinguaError, messageOf } from '../shared/errors.ts';
import { StoreRefusedError, StoreUnavailableError } from '../shared/repository/errors.ts';

/** What the commands of operators share: exit codes, how failures are told, who they are. */

/** Exit codes: 1 it won't work as it is, 2 wrong usage, 75 (sysexits' "temporary failure") trying again can help. */
const FAILED = 1;
const USAGE = 2;
const TRY_AGAIN = 75;

/** A person waits for these calls: patience instead of the functions' budget. */
export const patientStore = { timeoutMs: 5_000, attempts: 5 };

/** Runs the command that was given, and sets the exit code. */
export async function runCommand(program: Command): Promise<void> {
  // On Node 20 the SDK announces at every start that its support for it will end.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  try {
    await program.parseAsync();
  } catch (thrown) {
    process.exitCode = exitCodeOf(thrown);
    if (!(thrown instanceof CommanderError)) console.error(told(thrown));
  }
}

/** One line for people, or JSON for programs. */
export function print(options: { readonly json?: boolean }, json: unknown, text: string): void {
  console.log(options.json ? JSON.stringify(json) : text);
}

/** A container may run under an id that has no name. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

/** What went wrong, in one line. A person at a terminal may know what a store said, as nobody behind the API may. */
function told(thrown: unknown): string {
  const message = messageOf(thrown);
  const { cause } = thrown instanceof StoreUnavailableError || thrown instanceof StoreRefusedError ? thrown : {};
  if (!(cause instanceof Error)) return message;
  return `${message}: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`;
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
  return thrown instanceof CasaLinguaError && thrown.retryable ? TRY_AGAIN : FAILED;
}
