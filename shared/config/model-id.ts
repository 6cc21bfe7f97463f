/** As `shared/repository/manifest-schema.ts` has it, which this layer can't see; a test compares the two. */
export const MODEL_ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
