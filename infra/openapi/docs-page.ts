import { html } from 'hono/html';
import type { DescribedAnswer, DescribedOperation, Description } from './description.ts';
import { membersTable, prose, typeInWords } from './docs-schema.ts';
import type { JsonSchema } from './operation.ts';

type Html = ReturnType<typeof html>;

/** The description as one page for people: no script, nothing from anywhere else, and readable without its style. */
export async function docsPage(description: Description): Promise<string> {
  const { info, tags, paths, components } = description;
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map((tag) => ({
    ...tag,
    routes: all.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the routes</a>
<header>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${prose(info.description)}</p>
<p><a href="/openapi.json">openapi.json</a>: this page for programs (OpenAPI ${description.openapi})</p>
</header>
<nav aria-label="Routes">${sections.map(
    ({ name, routes }) =>
      html`<h2>${name}</h2><ul>${routes.map(
        ({ path, method, operation }) =>
          html`<li><a href="#${operation.operationId}"><b>${method.toUpperCase()}</b> ${path}</a></li>`,
      )}</ul>`,
  )}<h2>Schemas</h2><ul><li><a href="#schemas">All of them</a></li></ul></nav>
<main id="main">
${sections.map(
  ({ name, description: about, routes }) => html`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2><p>${prose(about)}</p>${routes.map(route)}</section>`,
)}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(components['schemas'] ?? {}).map(([name, schema]) => schemaArticle(name, schema))}
</section>
</main>
</body>
</html>
`;
  return String(await page);
}

interface Route {
  readonly path: string;
  readonly method: string;
  readonly operation: DescribedOperation;
}

function route({ path, method, operation }: Route): Html {
  const { operationId, summary, description = '', parameters, requestBody, responses } = operation;
  return html`<article id="${operationId}" aria-labelledby="${operationId}-title">
<h3 id="${operationId}-title"><b>${method.toUpperCase()}</b> <code>${path}</code></h3>
<p>${prose(summary)}. ${prose(description)} ${whoMay(operation)}</p>
${parameterTable(parameters)}
${requestBody === undefined ? '' : bodyParts(requestBody, path)}
<table class="answers"><caption>Answers</caption>
<thead><tr><th scope="col">Status</th><th scope="col">Means</th><th scope="col">Body</th></tr></thead>
<tbody>${Object.entries(responses).map(([status, answer]) => answerRow(status, answer))}</tbody></table>
</article>`;
}

function whoMay({ security }: DescribedOperation): string {
  if (security.length === 0) return 'Open to everybody.';
  const isInBody = security.some((schemes) => 'api_key' in schemes);
  return isInBody ? 'Needs a key, as Bearer or as api_key.' : 'Needs a key, as Bearer.';
}

function parameterTable(parameters: readonly JsonSchema[]): Html {
  return html`<table><caption>Parameters</caption>
<thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">About</th></tr></thead>
<tbody>${parameters.map(
    (parameter) => html`<tr><th scope="row"><code>${parameter['name']}</code></th>
<td>${parameter['in']}</td><td>${prose(String(parameter['description']))}</td></tr>`,
  )}</tbody></table>`;
}

function bodyParts(body: JsonSchema, path: string): Html {
  const content = Object.entries(body['content'] as Record<string, { schema: JsonSchema; example?: unknown }>);
  const [, { schema, example } = { schema: {} }] = content[0] ?? [];
  const types = content.map(([mediaType], at) => html`${at === 0 ? '' : ', '}<code>${mediaType}</code>`);
  return html`<p>Body${body['required'] === true ? '' : ', which may be left out'}: ${types}</p>
${membersTable(schema, 'Body')}
${
  example === undefined
    ? ''
    : html`<pre tabindex="0"><code>curl -s "$URL${path}" -H 'authorization: Bearer cslg_…' \\
  -H 'content-type: application/json' -d '${JSON.stringify(example)}'</code></pre>`
}`;
}

function answerRow(status: string, { description, content = {}, headers }: DescribedAnswer): Html {
  const bodies = Object.entries(content).map(
    ([mediaType, { schema }]) => html`<code>${mediaType}</code>: ${typeInWords(schema)}`,
  );
  const names = Object.keys(headers).filter((name) => name !== 'X-Request-Id');
  const named = names.map((name, at) => html`${at === 0 ? '. Headers: ' : ', '}<code>${name}</code>`);
  return html`<tr><th scope="row">${status}</th><td>${prose(description.replace(/\.$/, ''))}${named}</td><td>${bodies}</td></tr>`;
}

function schemaArticle(name: string, schema: JsonSchema): Html {
  const about = typeof schema['description'] === 'string' ? schema['description'] : '';
  const table = membersTable(schema, 'Members');
  return html`<details id="schema-${name}"><summary><h3>${name}</h3></summary>
<p>${prose(about)}</p>${table === '' ? html`<p>${typeInWords(schema)}</p>` : table}</details>`;
}
