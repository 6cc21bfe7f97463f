import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'cslg_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 192 bits. */
const RANDOM_BYTES = 24;
/** So many digits of base 62 hold them. */
const LENGTH = 33;
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${LENGTH}}$`);

/** A new key, like `cslg_4fR…`: 192 random bits, in letters and digits, so that a double click selects it. */
export function createApiKey(random: (bytes: number) => Uint8Array = randomBytes): string {
  let rest = BigInt(`0x${Buffer.from(random(RANDOM_BYTES)).toString('hex')}`);
  let digits = '';
  for (let n = 0; n < LENGTH; n++) {
    digits = DIGITS.charAt(Number(rest % 62n)) + digits;
    rest /= 62n;
  }
  return PREFIX + digits;
}

/** Whether it can be a key at all: what cannot be is refused without asking anybody. */
export function isApiKey(text: string): boolean {
  return FORM.test(text);
}

/** By what a key is known; the key itself is kept nowhere. Random as it is, it needs no salt and no slow hash. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
