import type { z } from 'zod/mini';

/** What a schema found wrong, each with its place, in one line. The values themselves are not repeated. */
export function describeIssues(error: z.core.$ZodError): string {
  return error.issues.map((issue) => `${placeOf(issue)}${whatIsWrong(issue)}`).join('; ');
}

function placeOf(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
}

function whatIsWrong(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown ${issue.keys.join(', ')}`;
    case 'invalid_type':
      return `must be ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}
