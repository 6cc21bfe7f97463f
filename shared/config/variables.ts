export type Read<Value> = { readonly value: Value } | { readonly wrong: string };

/** One variable of the environment. What is `wrong` completes "… must be". */
export interface Variable<Value> {
  read(text: string): Read<Value>;
  /** What holds without it, or what it must be. */
  absent(): Read<Value>;
}

export type Variables = Readonly<Record<string, Variable<unknown>>>;

export type ValuesOf<Named extends Variables> = {
  readonly [Name in keyof Named]: Named[Name] extends Variable<infer Value> ? Value : never;
};

export interface ReadVariables<Named extends Variables> {
  /** Not all of them where something is wrong. */
  readonly values: ValuesOf<Named>;
  /** What each that is wrong must be, by its name. */
  readonly wrong: ReadonlyMap<string, string>;
}

/** @param env without empty variables */
export function readVariables<const Named extends Variables>(
  variables: Named,
  env: Readonly<Record<string, string | undefined>>,
): ReadVariables<Named> {
  const values: Record<string, unknown> = {};
  const wrong = new Map<string, string>();
  for (const [name, variable] of Object.entries(variables)) {
    const given = env[name];
    const read = given === undefined ? variable.absent() : variable.read(given);
    if ('wrong' in read) wrong.set(name, read.wrong);
    else values[name] = read.value;
  }
  return { values: values as ValuesOf<Named>, wrong };
}

/** Whatever it says. */
export function anyText(absent: () => Read<string>): Variable<string> {
  return { read: (text) => ({ value: text }), absent };
}

/** A number, or this one where there is none. */
export function whole(fallback: number, min: number, max: number): Variable<number> {
  return { read: (text) => readWhole(text, min, max), absent: () => ({ value: fallback }) };
}

/** A number that may be absent. */
export function optionalWhole(min: number, max: number): Variable<number | undefined> {
  return { read: (text) => readWhole(text, min, max), absent: () => ({ value: undefined }) };
}

function readWhole(text: string, min: number, max: number): Read<number> {
  const value = Number(text);
  const isRight = Number.isInteger(value) && value >= min && value <= max;
  return isRight ? { value } : { wrong: `a whole number from ${min} to ${max}` };
}

/** One of these, the first where there is none. */
export function oneOf<const Name extends string>(names: readonly [Name, ...Name[]], form: string): Variable<Name> {
  return {
    read(text) {
      const value = names.find((name) => name === text);
      return value === undefined ? { wrong: form } : { value };
    },
    absent: () => ({ value: names[0] }),
  };
}

/** Names with commas between them, each once; none where there is no variable. */
export function names<Name extends string>(
  isName: (name: string) => name is Name,
  form: string,
): Variable<readonly Name[]> {
  return {
    read(text) {
      const given = [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
      return given.every(isName) ? { value: given } : { wrong: form };
    },
    absent: () => ({ value: [] }),
  };
}
