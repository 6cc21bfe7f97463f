import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '..', '..', '.github', 'workflows');
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

/** Each job of a workflow by its name: the lines below `jobs:` at its depth. */
function jobsOf(text: string): { readonly name: string; readonly text: string }[] {
  const [, jobs = ''] = text.split(/^jobs:$/m);
  return jobs
    .split(/^(?= {2}[\w-]+:$)/m)
    .filter((part) => part.trim() !== '')
    .map((part) => ({ name: part.trim().split(':', 1)[0] ?? '', text: part }));
}

const jobs = workflows.flatMap(({ name, text }) =>
  jobsOf(text).map((job) => ({ ...job, name: `${name}: ${job.name}` })),
);
const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

describe.each(workflows)('the workflow $name', ({ text }) => {
  it('takes actions by the commit that was looked at, with the version that it is', () => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, what = '']) => what);

    for (const what of used) {
      expect(what).toMatch(/^(?:\.\/\.github\/workflows\/[\w-]+\.yml|[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    }
  });

  it('has no right that a job did not ask for', () => {
    expect(text).toMatch(/^permissions: \{\}$/m);
  });

  it('leaves no credentials of GitHub behind in the checkout', () => {
    expect(count(text, /persist-credentials: false/g)).toBe(count(text, /uses: actions\/checkout@/g));
  });

  it('knows no secret', () => {
    expect(text).not.toMatch(/secrets\./);
    expect(text).not.toMatch(/aws-(?:access|secret)/i);
  });

  it('puts nothing into a script but by its environment, since a title can hold commands', () => {
    const scripts = [...text.matchAll(/run: (?:\|\n((?:\s{10,}.*\n|\n)+)|(.+))/g)].map(
      ([, block, line]) => block ?? line ?? '',
    );

    // A matrix is the workflow's own.
    for (const script of scripts) expect(script.replaceAll(/\$\{\{ matrix\.\w+ \}\}/g, '')).not.toContain('${{');
  });
});

describe('jobs', () => {
  it('are found', () => {
    expect(jobs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['check.yml: test', 'check.yml: synth', 'check.yml: diff', 'deploy.yml: production']),
    );
  });

  it.each(jobs)('$name asks for its rights by name, and ends in time', ({ text }) => {
    expect(text).toMatch(/^ {4}permissions:\n {6}contents: read$/m);
    if (text.includes('runs-on:')) expect(text).toMatch(/^ {4}timeout-minutes: \d+$/m);
  });

  it('get a token for AWS only where they assume a role there, or call a workflow that does', () => {
    const withToken = jobs.filter(({ text }) => text.includes('id-token: write')).map(({ name }) => name);

    expect(withToken).toEqual([
      'check.yml: diff',
      'deploy-stage.yml: deploy',
      'deploy.yml: staging',
      'deploy.yml: production',
    ]);
  });

  it('deploy to production after staging, in an environment whose rules ask a person', () => {
    const job = (name: string) => jobs.find((one) => one.name === name)?.text ?? '';

    expect(job('deploy.yml: production')).toMatch(/^ {4}needs: staging$/m);
    expect(job('deploy.yml: staging')).toMatch(/^ {4}needs: test$/m);
    expect(job('deploy-stage.yml: deploy')).toMatch(/^ {4}environment:\n {6}name: \$\{\{ inputs\.stage \}\}$/m);
    expect(job('deploy-stage.yml: deploy')).toMatch(/npm run smoke -- --url "\$URL"$/m);
  });
});
