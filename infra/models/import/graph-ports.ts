import type { GraphPort } from '../onnx/graph-facts.ts';
import type { ElementTypeName } from '../onnx/onnx-fields.ts';
import type { ExportedGraph } from './model-export.ts';

/** What a graph must have, and what it may have besides. */
export interface WantedPorts {
  readonly inputs: readonly WantedPort[];
  readonly outputs: readonly WantedPort[];
}

export interface WantedPort {
  readonly name: RegExp;
  /** For messages. */
  readonly called: string;
  readonly type: ElementTypeName;
  readonly isOptional?: boolean;
}

/** Everything about a graph's inputs and outputs that the runtime cannot do with. */
export function portProblems({ path, facts }: ExportedGraph, wanted: WantedPorts): string[] {
  const lacks = (ports: readonly GraphPort[], wants: readonly WantedPort[], kind: string) =>
    wants
      .filter(({ name, isOptional }) => isOptional !== true && !ports.some((port) => name.test(port.name)))
      .map(({ called }) => `${path} has no ${kind} ${called}`);
  const otherTypes = (ports: readonly GraphPort[], wants: readonly WantedPort[]) =>
    wants.flatMap(({ name, called, type }) => {
      const other = ports.find((port) => name.test(port.name) && port.type !== type);
      return other === undefined ? [] : [`${path} has ${called} in ${other.type} instead of ${type}`];
    });
  // Outputs that nobody asks for do no harm; an input that nobody feeds does.
  const unfed = facts.inputs.filter((port) => !wanted.inputs.some(({ name }) => name.test(port.name)));
  return [
    ...lacks(facts.inputs, wanted.inputs, 'input'),
    ...lacks(facts.outputs, wanted.outputs, 'output'),
    ...otherTypes(facts.inputs, wanted.inputs),
    ...otherTypes(facts.outputs, wanted.outputs),
    ...(unfed.length === 0 ? [] : [`${path} wants what is not fed here: ${unfed.map(({ name }) => name).join(', ')}`]),
  ];
}

export function port(name: string, type: ElementTypeName): WantedPort {
  return { name: new RegExp(`^${name}$`), called: name, type };
}
