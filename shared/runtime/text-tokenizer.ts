import { Tokenizer } from '@huggingface/tokenizers';
import { messageOf } from '../errors.ts';
import { ModelUnsupportedError } from './errors.ts';

/** Text to token ids and back, by `tokenizer.json`. */
export interface TextTokenizer {
  /** Ids of the text alone: a text that spells a special token, such as `</s>` or `__es__`, cannot bring it in. */
  encode(text: string): number[];
  /** The text of ids; special tokens are left out. */
  decode(ids: readonly number[]): string;
  /** The special tokens that the tokenizer itself would put around a text, e.g. `<s>` and `</s>`. */
  readonly frame: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** The id of one token, e.g. `</s>`, `__es__`, `spa_Latn`. */
  idOf(token: string): number | undefined;
}

/** @throws ModelUnsupportedError when the file is not a tokenizer that the library knows */
export function createTextTokenizer(definition: unknown, config: unknown): TextTokenizer {
  try {
    const tokenizer = new Tokenizer(definition as object, config as object);
    const unknown = tokenizer.model?.unk_token_id;
    const special = new Set<number>();
    for (const [id, token] of tokenizer.get_added_tokens_decoder())
      if (token.special && id !== unknown) special.add(id);
    return {
      encode: (text) =>
        tokenizer.encode(text, { add_special_tokens: false }).ids.filter((id: number) => !special.has(id)),
      get frame() {
        return frameOf(tokenizer);
      },
      // The library takes no empty list, which is what a model answers that ends at once.
      decode: (ids) => (ids.length === 0 ? '' : tokenizer.decode([...ids], { skip_special_tokens: true })),
      idOf: (token) => tokenizer.token_to_id(token),
    };
  } catch (cause) {
    throw new ModelUnsupportedError(`tokenizer.json cannot be used: ${messageOf(cause)}`, { cause });
  }
}

function frameOf(tokenizer: Tokenizer): TextTokenizer['frame'] {
  const bare: number[] = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const framed: number[] = tokenizer.encode('a').ids;
  const start = framed.findIndex((_, at) => bare.every((id, index) => framed[at + index] === id));
  return { before: framed.slice(0, start), after: framed.slice(start + bare.length) };
}
