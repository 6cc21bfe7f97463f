import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { diskMbFor, type StageConfig } from '../config.ts';
import { logStatement, traceStatement } from './permissions.ts';

export interface ServiceFunctionProps {
  /** What it is, for people. */
  readonly description: string;
  /** Folder that `bundleFunctions` wrote. */
  readonly codeFolder: string;
  readonly config: Pick<StageConfig, 'architecture' | 'keepData' | 'logRetentionDays'>;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** MB for a cache of model files. @default - the 512 MB of disk that each function has */
  readonly cacheMb?: number;
  /** Instances at most. @default - what the account has left */
  readonly reservedConcurrency?: number | undefined;
  /** Instances kept ready by the alias at first; autoscaling changes the number. @default - none */
  readonly provisionedConcurrency?: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Beside writing its log and traces. */
  readonly statements: readonly PolicyStatement[];
  /** Of its log. @default - CloudWatch's own key */
  readonly key: IKey | undefined;
}

/**
 * A function with its own role and log group, and the alias `live` that everything calls.
 *
 * The code is the folder of `infra/bundle.ts`, byte for byte what the local run and the tests run. `NodejsFunction` would run
 * esbuild a second time with its own options and file names, and what was tested would no longer be what is deployed.
 */
export class ServiceFunction extends Construct {
  readonly function: LambdaFunction;
  readonly alias: Alias;
  readonly logGroup: LogGroup;
  readonly role: Role;
  readonly memoryMb: number;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { config, key, memoryMb } = props;
    this.memoryMb = memoryMb;
    this.logGroup = new LogGroup(this, 'Log', {
      retention: config.logRetentionDays,
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(key === undefined ? {} : { encryptionKey: key }),
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const statements = [logStatement(this.logGroup.logGroupArn), traceStatement(), ...props.statements];
    for (const statement of statements) this.role.addToPolicy(statement);
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      handler: 'index.handler',
      code: Code.fromAsset(props.codeFolder),
      role: this.role.withoutPolicyUpdates(),
      memorySize: memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.cacheMb === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(diskMbFor(props.cacheMb)) }),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: { ...props.environment },
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      // Its reports tell how much memory an instance used at most.
      systemLogLevelV2: SystemLogLevel.INFO,
    });
    this.alias = new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion,
      ...(props.provisionedConcurrency === undefined
        ? {}
        : { provisionedConcurrentExecutions: props.provisionedConcurrency }),
    });
  }
}
