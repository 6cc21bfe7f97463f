import * as z from 'zod/mini';

/** What generation needs of `config.json`, as exporters write it. */
export const translationConfigSchema = z.object({
  decoder_attention_heads: z.int().check(z.positive()),
  d_model: z.int().check(z.positive()),
  vocab_size: z.int().check(z.positive()),
  pad_token_id: z.int(),
  eos_token_id: z.int(),
  decoder_start_token_id: z.optional(z.int()),
});
