/** What Node has and its type package does not describe; browsers' DOM types would bring far more. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, unknown>>;
  class Instance {
    constructor(module: Module, imports: Imports);
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
}
