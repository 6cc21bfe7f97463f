import { Annotations, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { type ModelNeeds, type StageConfig, StageConfigError } from '../config.ts';
import { type FunctionName, functionSettings } from '../routes.ts';
import { acknowledgeMemory, acknowledgeRights } from './acknowledged-rights.ts';
import { createAlarmTopic } from './alarm-topic.ts';
import { ServiceAlarms } from './alarms.ts';
import { ServiceApi } from './api.ts';
import { createBudget } from './budget.ts';
import { Canary } from './canary.ts';
import { createDashboard } from './dashboard.ts';
import { createEncryptionKey } from './encryption-key.ts';
import { createFleetTable } from './fleet-table.ts';
import {
  accessEnvironment,
  callerLimitsEnvironment,
  controlEnvironment,
  groupEnvironment,
  modelsOf,
  type SharedEnvironment,
} from './function-environment.ts';
import { createModelBucket } from './model-bucket.ts';
import { scheduleMonitor } from './monitor-schedule.ts';
import {
  encryptStatement,
  invokeStatement,
  memoryStatements,
  modelStatements,
  tableStatements,
  versionsStatements,
} from './permissions.ts';
import { preloadProblem } from './preload-check.ts';
import { scaleProvisioned } from './provisioned-scaling.ts';
import { ServiceFunction, type ServiceFunctionProps } from './service-function.ts';
import { createServiceMetrics } from './service-metrics.ts';
import { SuspendScaling } from './suspend-scaling.ts';

export interface ServiceStackProps extends StackProps {
  readonly config: StageConfig;
  /** Folders of the bundles. */
  readonly code: ReadonlyMap<FunctionName, string>;
  /** Of each model that may be preloaded, by id. */
  readonly needs: ReadonlyMap<string, ModelNeeds>;
}

/**
 * The whole service of one stage.
 * Outputs, for scripts: `ApiUrl`, `ModelBucket`, `TableName`, `AlarmTopicArn`, `DashboardName`.
 * @throws StageConfigError when a function cannot hold what it preloads
 */
export class ServiceStack extends Stack {
  readonly #props: ServiceStackProps;
  readonly #key: Key | undefined;
  readonly #table: TableV2;
  readonly #bucket: Bucket;

  constructor(scope: Construct, id: string, props: ServiceStackProps) {
    super(scope, id, { description: `CasaLingua on Lambda, ${props.config.stage}`, ...props });
    this.#props = props;
    const { config } = props;
    checkPreloads(props);
    warnOfOpenRoutes(this, config);
    const key = config.encryption === 'customer-key' ? createEncryptionKey(this, config.keepData) : undefined;
    this.#key = key;
    this.#table = createFleetTable(this, { key, keepData: config.keepData });
    this.#bucket = createModelBucket(this, {
      key,
      keepData: config.keepData,
      logRetentionDays: config.logRetentionDays,
    });
    const groups = this.#groups();
    const control = this.#control(groups);
    const monitor = this.#function('monitor', 'monitor', {
      description: `CasaLingua ${config.stage}: sees to what instances share`,
      memoryMb: config.monitor.memoryMb,
      environment: { ...this.#environment() },
      models: [],
      statements: [
        ...memoryStatements('monitor', this.#bucket.bucketArn),
        ...(key === undefined ? [] : [encryptStatement(key.keyArn)]),
      ],
    });
    scheduleMonitor(this, monitor);
    const api = new ServiceApi(this, 'Http', { config, control, groups, key });
    const topic = createAlarmTopic(this, { emails: config.alarms.emails, key });
    const metrics = createServiceMetrics(this, {
      stage: config.stage,
      api,
      groups,
      control,
      monitor,
      table: this.#table,
    });
    const functions = new Map([...groups, ['control', control] as const, ['monitor', monitor] as const]);
    const alarms = new ServiceAlarms(this, 'Alarm', { config, metrics, topic, functions });
    const dashboard = createDashboard(this, config, metrics);
    if (config.deployment === 'canary') this.#deployByCanary(groups, control, alarms);
    if (config.monthlyBudgetUsd !== undefined) {
      createBudget(this, config.monthlyBudgetUsd, config.stage, config.alarms.emails);
    }
    this.#output({
      ApiUrl: api.url,
      ModelBucket: this.#bucket.bucketName,
      TableName: this.#table.tableName,
      AlarmTopicArn: topic.topicArn,
      DashboardName: dashboard.dashboardName,
    });
  }

  /** A function of the inference bundle for each group of models. */
  #groups(): ReadonlyMap<string, ServiceFunction> {
    const { config } = this.#props;
    return new Map(
      Object.entries(config.groups).map(([name, group]) => {
        const made = this.#function('inference', name, {
          description: `CasaLingua ${config.stage}: ${name}`,
          memoryMb: group.memoryMb,
          cacheMb: group.cacheMb,
          reservedConcurrency: group.reservedConcurrency,
          provisionedConcurrency: group.provisioned?.min,
          environment: {
            ...accessEnvironment('inference', config.authorization),
            ...callerLimitsEnvironment(config.callerLimits),
            ...groupEnvironment(this.#environment(), group),
          },
          models: group.models,
        });
        if (group.provisioned !== undefined) scaleProvisioned(made.alias, group.provisioned);
        return [name, made];
      }),
    );
  }

  /** It shows what there is, and wakes the groups when an operator wants something of them. */
  #control(groups: ReadonlyMap<string, ServiceFunction>): ServiceFunction {
    const { config } = this.#props;
    const models = modelsOf(config.groups);
    const aliases = Array.from(groups.values(), ({ alias }) => alias.functionArn);
    return this.#function('control', 'control', {
      description: `CasaLingua ${config.stage}: answers about health, and does what operators say`,
      memoryMb: config.control.memoryMb,
      environment: {
        ...accessEnvironment('control', config.authorization),
        ...controlEnvironment(this.#environment(), config.groups, aliases),
      },
      models,
      statements: [
        ...versionsStatements(this.#bucket.bucketArn, models),
        ...memoryStatements('control', this.#bucket.bucketArn),
        invokeStatement(aliases),
      ],
    });
  }

  #function(
    bundle: FunctionName,
    name: string,
    props: Omit<ServiceFunctionProps, 'codeFolder' | 'config' | 'timeoutSeconds' | 'key' | 'statements'> & {
      readonly models: 'all' | readonly string[];
      /** Beside what each has on the table and the models. @default - none */
      readonly statements?: readonly PolicyStatement[];
    },
  ): ServiceFunction {
    const codeFolder = this.#props.code.get(bundle);
    if (codeFolder === undefined) throw new Error(`there is no bundle of ${bundle}`);
    const made = new ServiceFunction(this, name, {
      ...props,
      statements: [
        ...tableStatements(bundle, this.#table.tableArn),
        ...(props.models.length === 0 ? [] : modelStatements(this.#bucket.bucketArn, props.models)),
        ...(props.statements ?? []),
      ],
      codeFolder,
      config: this.#props.config,
      timeoutSeconds: functionSettings[bundle].timeoutSeconds,
      key: this.#key,
    });
    this.#key?.grantDecrypt(made.role);
    acknowledgeRights(made.role, this.#bucket, props.models);
    if (bundle !== 'inference') acknowledgeMemory(made.role, this.#bucket);
    return made;
  }

  #environment(): SharedEnvironment {
    return {
      CASALINGUA_STAGE: this.#props.config.stage,
      CASALINGUA_MODEL_BUCKET: this.#bucket.bucketName,
      CASALINGUA_TABLE: this.#table.tableName,
    };
  }

  #deployByCanary(groups: ReadonlyMap<string, ServiceFunction>, control: ServiceFunction, alarms: ServiceAlarms): void {
    const { config } = this.#props;
    const canary = new Canary(this, 'Canary', { functions: new Map([...groups, ['control', control]]), alarms });
    const scaled = new Map([...groups].filter(([name]) => config.groups[name]?.provisioned !== undefined));
    if (scaled.size > 0) new SuspendScaling(this, 'SuspendScaling', { config, canary, scaled, key: this.#key });
  }

  #output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}

function checkPreloads({ config, needs }: ServiceStackProps): void {
  const known = new Map([...needs, ...Object.entries(config.models)]);
  const problems = Object.entries(config.groups)
    .map(([name, group]) => preloadProblem(name, group, known))
    .filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new StageConfigError(problems.join('; '));
}

function warnOfOpenRoutes(scope: Construct, { stage, authorization, groups }: StageConfig): void {
  const isOpen = Object.values(groups).some(({ environment }) => environment['CASALINGUA_ANONYMOUS_SCOPES']);
  if (authorization.callers.kind !== 'keys' || !isOpen) return;
  Annotations.of(scope).addWarningV2(
    'casalingua:open-routes',
    `${stage}: anybody on the internet may translate, at your cost, since a group has CASALINGUA_ANONYMOUS_SCOPES`,
  );
}
