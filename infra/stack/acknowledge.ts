import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Findings of cdk-nag that are as they should be, each with the reason that a reviewer reads. */
export function acknowledge(construct: IConstruct, findings: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(findings)) Validations.of(construct).acknowledge({ id, reason });
}

/** The finding that a statement of a role is about this resource with a wildcard in it; any other is still a finding. */
export function wildcardIn(construct: IConstruct, resource: string): string {
  return `AwsSolutions-IAM5[Resource::${asFound(Stack.of(construct).resolve(resource))}]`;
}

/** As cdk-nag writes it: what only CloudFormation will know stands in angle brackets. */
function asFound(value: unknown): string {
  if (Array.isArray(value)) return value.map(asFound).join('');
  if (typeof value !== 'object' || value === null) return String(value);
  const [[kind, inner] = []] = Object.entries(value);
  switch (kind) {
    case 'Fn::Join':
      return asFound(inner[1]);
    case 'Fn::GetAtt':
      return `<${inner.join('.')}>`;
    default:
      return `<${inner}>`;
  }
}
