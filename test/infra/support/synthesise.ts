import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import type { ModelNeeds, StageConfig, StageInput } from '../../../infra/config.ts';
import { type FunctionName, functionNames } from '../../../infra/routes.ts';
import { addService } from '../../../infra/stack/add-service.ts';
import { readStageConfig } from '../../../infra/stages.ts';

/** A resource as it stands in a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly [attribute: string]: unknown;
}

/** The template of a stage, for reading. */
export interface StageTemplate {
  readonly config: StageConfig;
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  /** Whether the stack is protected from being deleted. */
  readonly isProtected: boolean;
  /** What the synthesis warns of. */
  readonly warnings: readonly string[];
  /** Resources of a type, e.g. `AWS::Lambda::Function`. */
  of(type: string): readonly Resource[];
  /** The only resource of a type whose logical id begins so. */
  one(type: string, idBegins?: string): Resource;
  /** The logical id of the only resource of a type whose id begins so. */
  idOf(type: string, idBegins: string): string;
}

/** What stands in a resource's properties under a path, e.g. `Environment.Variables.NAME`. */
export function at(resource: Resource, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return members.find(([member]) => member === name)?.[1];
  }, resource.Properties);
}

/** As the command line would have it. */
export const context: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', '..', 'cdk.json'), 'utf8'),
).context;

/** Of the models that come with the project, as their descriptions say. */
export const shippedNeeds: ReadonlyMap<string, ModelNeeds> = new Map([
  ['language-detection', { peakMb: 110, residentMb: 105, filesMb: 1 }],
  ['translate-en-es', { peakMb: 320, residentMb: 310, filesMb: 10 }],
  ['translate-es-en', { peakMb: 320, residentMb: 310, filesMb: 10 }],
]);

const scratch = mkdtempSync(join(tmpdir(), 'casalingua-stack-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** A folder for a cloud assembly, which goes with the process. */
export function assemblyFolder(): string {
  return mkdtempSync(join(scratch, 'assembly-'));
}

/** Folders that stand for bundles, so that nothing needs to be built. */
export function placeholderCode(): ReadonlyMap<FunctionName, string> {
  const folder = mkdtempSync(join(scratch, 'code-'));
  return new Map(
    functionNames.map((name) => {
      const code = join(folder, name);
      mkdirSync(code);
      writeFileSync(join(code, 'index.mjs'), `export const handler = () => '${name}';\n`);
      return [name, code];
    }),
  );
}

const made = new Map<string, StageTemplate>();

/** The template of a stage without any bundling, with some of the stage's members replaced; the same one each time. */
export function synthesise(stage: StageInput['stage'], changes: Partial<StageInput> = {}): StageTemplate {
  const key = JSON.stringify([stage, changes]);
  const template = made.get(key) ?? synthesiseAnew(stage, changes);
  made.set(key, template);
  return template;
}

function synthesiseAnew(stage: StageInput['stage'], changes: Partial<StageInput>): StageTemplate {
  const config = readStageConfig(stage, changes);
  const app = new App({ context: { ...context }, outdir: assemblyFolder(), builtinCloudFormationValidation: false });
  const stack = addService(app, { config, code: placeholderCode(), needs: shippedNeeds });
  const warnings = Annotations.fromStack(stack).findWarning('*', Match.anyValue());
  const texts = warnings.map(({ entry }) => String(entry.data));
  return {
    ...readTemplate(config, Template.fromStack(stack), texts),
    isProtected: stack.terminationProtection === true,
  };
}

/** The groups of a stage, one of them with other members. */
export function groupsWith(
  stage: StageInput['stage'],
  name: string,
  changes: Partial<StageInput['groups'][string]>,
): StageInput['groups'] {
  const groups = readStageConfig(stage).groups;
  const group = groups[name];
  if (group === undefined) throw new Error(`${stage} has no group ${name}`);
  return { ...groups, [name]: { ...group, ...changes } };
}

function readTemplate(
  config: StageConfig,
  template: Template,
  warnings: readonly string[],
): Omit<StageTemplate, 'isProtected'> {
  const resources: Readonly<Record<string, Resource>> = template.toJSON()['Resources'];
  const entry = (type: string, idBegins: string) => {
    const found = Object.entries(resources).filter(([id, { Type }]) => Type === type && id.startsWith(idBegins));
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${found.length} of ${type} ${idBegins}, not one`);
    return only;
  };
  return {
    config,
    template,
    resources,
    warnings,
    of: (type) => Object.values(resources).filter(({ Type }) => Type === type),
    one: (type, idBegins = '') => entry(type, idBegins)[1],
    idOf: (type, idBegins) => entry(type, idBegins)[0],
  };
}
