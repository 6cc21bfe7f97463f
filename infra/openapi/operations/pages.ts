import type { Operation } from '../operation.ts';

const tag = 'Pages';
const cached = ['ETag', 'Cache-Control'];
const anything = { type: 'object', additionalProperties: true };

function page(path: string, summary: string, mediaType: string): Operation {
  const schema = mediaType === 'application/json' ? anything : { type: 'string' };
  return {
    method: 'get',
    path,
    tag,
    summary,
    parameters: [
      {
        name: 'If-None-Match',
        in: 'header',
        description: 'ETags that the caller has.',
        schema: { type: 'string' },
      },
    ],
    answers: {
      200: { description: 'It.', content: { [mediaType]: schema }, headers: cached },
      304: { description: 'The caller has it.', headers: cached },
    },
    failures: [404, 500],
  };
}

export const pageOperations: readonly Operation[] = [
  page('/openapi.json', 'This description', 'application/json'),
  page('/docs', 'This description, for people', 'text/html; charset=utf-8'),
  page('/docs/style.css', 'The style of that page', 'text/css; charset=utf-8'),
  page('/dashboard', 'The dashboard; what it shows it asks this API for, with a key', 'text/html; charset=utf-8'),
  page('/dashboard/script.js', 'Its script', 'text/javascript; charset=utf-8'),
  page('/dashboard/style.css', 'Its style', 'text/css; charset=utf-8'),
];
