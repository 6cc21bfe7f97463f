import { describe, expect, it } from 'vitest';
import { withFloatProjection } from '../../infra/models/onnx/float-projection.ts';
import { Message } from '../../infra/models/onnx/message.ts';

const INT8 = 3;
const FLOAT = 1;

function tensor(name: string, elementType: number, dims: number[], data: ArrayLike<number>): Message {
  const values = elementType === FLOAT ? Float32Array.from(data) : Int8Array.from(data);
  return dims
    .reduce((message, dim) => message.withInteger(1, dim), new Message())
    .withInteger(2, elementType)
    .withText(8, name)
    .withBytes(9, new Uint8Array(values.buffer));
}

/** A graph of one quantised product of two rows and `columns` columns. */
function product({ columns = 2000, zeroPoint = 0, scales = 1, bias = false } = {}): Uint8Array {
  const inputs = ['x', 'w', 'scale', 'zero', ...(bias ? ['bias'] : [])];
  const node = inputs
    .reduce((message, input) => message.withText(1, input), new Message())
    .withText(2, 'y')
    .withText(4, 'DynamicQuantizeMatMul');
  const constants = [
    tensor('w', INT8, [2, columns], { length: 2 * columns, 0: 3, [columns + 1]: -4 } as ArrayLike<number>),
    tensor('scale', FLOAT, [scales], { length: scales, 0: 0.5, 1: 0.25 } as ArrayLike<number>),
    tensor('zero', INT8, [1], [zeroPoint]),
  ];
  const graph = new Message().withMessages(1, [node]).withMessages(5, constants);
  return new Message().withMessages(7, [graph]).encode();
}

function graphOf(file: Uint8Array): Message {
  return Message.decode(file).messages(7)[0] as Message;
}

function operators(file: Uint8Array): string[] {
  return graphOf(file)
    .messages(1)
    .map((node) => node.text(4));
}

function floatWeight(file: Uint8Array): Float32Array {
  const weight = graphOf(file)
    .messages(5)
    .find((constant) => constant.text(8) === 'w_float');
  return new Float32Array(new Uint8Array(weight?.all(9)[0] ?? []).buffer);
}

describe('the projection onto the vocabulary, in float', () => {
  it('is a plain product with the weight times its scale, and the int8 weight is gone', () => {
    const file = withFloatProjection(product());

    expect(operators(file)).toEqual(['MatMul']);
    expect([floatWeight(file)[0], floatWeight(file)[2001]]).toEqual([1.5, -2]);
    expect(
      graphOf(file)
        .messages(5)
        .map((constant) => constant.text(8)),
    ).not.toContain('w');
  });

  it('takes each column by its own scale where there is one for each', () => {
    const weight = floatWeight(withFloatProjection(product({ scales: 2000 })));

    expect([weight[0], weight[2001]]).toEqual([1.5, -1]);
  });

  it('adds the bias that the quantised product had', () => {
    expect(operators(withFloatProjection(product({ bias: true })))).toEqual(['MatMul', 'Add']);
  });

  it('counts from the zero point', () => {
    const weight = floatWeight(withFloatProjection(product({ zeroPoint: 5 })));

    expect([weight[0], weight[1], weight[2001]]).toEqual([-1, -2.5, -4.5]);
  });

  it('leaves a product alone that is too narrow for a vocabulary', () => {
    const file = product({ columns: 1999 });

    expect(withFloatProjection(file)).toBe(file);
  });
});
