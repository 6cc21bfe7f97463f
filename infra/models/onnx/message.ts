import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** One field of a protobuf message: its content without tag, and without length where it has one. */
export interface Field {
  readonly number: number;
  readonly wireType: WireType;
  readonly content: Uint8Array;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * A protobuf message as its list of fields, in the order of the file. What is not touched is written back byte for byte, so
 * that an ONNX file can be edited without knowing all of ONNX.
 */
export class Message {
  readonly #fields: readonly Field[];

  constructor(fields: readonly Field[] = []) {
    this.#fields = fields;
  }

  static decode(bytes: Uint8Array): Message {
    const reader = new BinaryReader(bytes);
    const fields: Field[] = [];
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const content = wireType === WireType.LengthDelimited ? reader.bytes() : reader.skip(wireType);
      fields.push({ number, wireType, content });
    }
    return new Message(fields);
  }

  encode(): Uint8Array {
    const writer = new BinaryWriter();
    for (const { number, wireType, content } of this.#fields) {
      writer.tag(number, wireType);
      if (wireType === WireType.LengthDelimited) writer.bytes(content);
      else writer.raw(content);
    }
    return writer.finish();
  }

  /** Contents of all length-delimited fields with this number. */
  all(number: number): Uint8Array[] {
    return this.#fields.filter((field) => field.number === number).map((field) => field.content);
  }

  text(number: number): string {
    return decoder.decode(this.all(number)[0]);
  }

  texts(number: number): string[] {
    return this.all(number).map((content) => decoder.decode(content));
  }

  messages(number: number): Message[] {
    return this.all(number).map((content) => Message.decode(content));
  }

  /** Integers of a repeated field, packed or not. */
  integers(number: number): number[] {
    return this.#fields
      .filter((field) => field.number === number)
      .flatMap(({ content }) => {
        const reader = new BinaryReader(content);
        const values: number[] = [];
        while (reader.pos < reader.len) values.push(Number(reader.int64()));
        return values;
      });
  }

  /** A copy whose fields with this number are these messages; they stand where the first of them stood. */
  withMessages(number: number, messages: readonly Message[]): Message {
    const first = this.#fields.findIndex((field) => field.number === number);
    const replaced = messages.map((message) => delimited(number, message.encode()));
    const others = this.#fields.filter((field) => field.number !== number);
    const before = this.#fields.slice(0, Math.max(first, 0)).filter((field) => field.number !== number).length;
    return new Message([...others.slice(0, before), ...replaced, ...others.slice(before)]);
  }

  /** A copy without the fields of these numbers. */
  without(...numbers: readonly number[]): Message {
    return new Message(this.#fields.filter((field) => !numbers.includes(field.number)));
  }

  withBytes(number: number, bytes: Uint8Array): Message {
    return new Message([...this.#fields, delimited(number, bytes)]);
  }

  withMessage(number: number, message: Message): Message {
    return this.withBytes(number, message.encode());
  }

  withText(number: number, text: string): Message {
    return this.withBytes(number, encoder.encode(text));
  }

  withInteger(number: number, value: number): Message {
    const content = new BinaryWriter().int64(value).finish();
    return new Message([...this.#fields, { number, wireType: WireType.Varint, content }]);
  }
}

function delimited(number: number, content: Uint8Array): Field {
  return { number, wireType: WireType.LengthDelimited, content };
}
