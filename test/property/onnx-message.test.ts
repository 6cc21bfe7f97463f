import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Message } from '../../infra/models/onnx/message.ts';

/** Any message, of fields of all the wire types that ONNX uses. */
const anyMessage = fc
  .array(
    fc.oneof(
      fc.record({ number: fc.integer({ min: 1, max: 40 }), bytes: fc.uint8Array({ maxLength: 200 }) }),
      fc.record({ number: fc.integer({ min: 1, max: 40 }), integer: fc.maxSafeInteger() }),
      fc.record({ number: fc.integer({ min: 1, max: 40 }), float: fc.float({ noNaN: true }) }),
    ),
  )
  .map((fields) => {
    const writer = new BinaryWriter();
    for (const field of fields) {
      if ('bytes' in field) writer.tag(field.number, WireType.LengthDelimited).bytes(field.bytes);
      else if ('integer' in field) writer.tag(field.number, WireType.Varint).int64(field.integer);
      else writer.tag(field.number, WireType.Bit32).float(field.float);
    }
    return writer.finish();
  });

describe('a protobuf message that is edited without its schema', () => {
  it('is written back byte for byte', () => {
    fc.assert(
      fc.property(anyMessage, (bytes) => {
        expect(Message.decode(bytes).encode()).toEqual(bytes);
      }),
    );
  });

  it('keeps every other field when one is replaced', () => {
    fc.assert(
      fc.property(anyMessage, fc.integer({ min: 1, max: 40 }), (bytes, number) => {
        const message = Message.decode(bytes);
        const replaced = Message.decode(message.withMessages(number, [new Message().withText(1, 'x')]).encode());

        expect(replaced.messages(number).map((inner) => inner.text(1))).toEqual(['x']);
        for (let other = 1; other <= 40; other++) {
          if (other !== number) expect(replaced.all(other)).toEqual(message.all(other));
        }
      }),
    );
  });
});
