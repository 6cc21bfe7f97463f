import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, JsonPath, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { CallAwsService } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import { acknowledge, wildcardIn } from './acknowledge.ts';
import type { Canary } from './canary.ts';
import type { ServiceFunction } from './service-function.ts';

export interface SuspendScalingProps {
  readonly config: Pick<StageConfig, 'keepData' | 'logRetentionDays'>;
  readonly canary: Canary;
  /** The functions whose provisioned concurrency scales, by name. */
  readonly scaled: ReadonlyMap<string, ServiceFunction>;
  /** Of its log. @default - CloudWatch's own key */
  readonly key: IKey | undefined;
}

const DIMENSION = 'lambda:function:ProvisionedConcurrency';

/**
 * Suspends autoscaling of an alias while CodeDeploy shifts it, and resumes it when the deployment has ended, however it did:
 * Lambda refuses to change the provisioned concurrency of an alias that has two versions. Hooks of CodeDeploy would not do,
 * since none is called after a rollback; its events tell of every end. A state machine of one call needs no code.
 */
export class SuspendScaling extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, { config, canary, scaled, key }: SuspendScalingProps) {
    super(scope, id);
    const { region, account, partition } = Stack.of(this);
    const targets = `arn:${partition}:application-autoscaling:${region}:${account}:scalable-target/*`;
    const register = new CallAwsService(this, 'RegisterScalableTarget', {
      service: 'applicationautoscaling',
      action: 'registerScalableTarget',
      parameters: {
        ServiceNamespace: 'lambda',
        ScalableDimension: DIMENSION,
        ResourceId: JsonPath.stringAt('$.resource'),
        SuspendedState: {
          DynamicScalingInSuspended: JsonPath.objectAt('$.suspended'),
          DynamicScalingOutSuspended: JsonPath.objectAt('$.suspended'),
          ScheduledScalingSuspended: JsonPath.objectAt('$.suspended'),
        },
      },
      iamAction: 'application-autoscaling:RegisterScalableTarget',
      iamResources: [targets],
    });
    register.addRetry({ maxAttempts: 5, interval: Duration.seconds(2), backoffRate: 2 });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      comment: "CasaLingua: suspends and resumes an alias's autoscaling around a canary",
      definitionBody: DefinitionBody.fromChainable(register),
      stateMachineType: StateMachineType.EXPRESS,
      timeout: Duration.minutes(4),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        destination: new LogGroup(this, 'Log', {
          retention: config.logRetentionDays,
          removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
          ...(key === undefined ? {} : { encryptionKey: key }),
        }),
      },
    });
    acknowledge(this.stateMachine, {
      [wildcardIn(this, '*')]:
        'What delivers logs of state machines, and X-Ray, know no resources to name (AWS documents these statements so).',
      [wildcardIn(this, targets)]:
        'The id of a scalable target is random and known to no template; the one action can only change bounds and suspension.',
    });
    for (const [name, { function: lambda }] of scaled) {
      const group = canary.groups.get(name);
      if (group === undefined) continue;
      const resource = `function:${lambda.functionName}:live`;
      this.#on(`${name}Begins`, group, ['START'], { resource, suspended: true });
      this.#on(`${name}Ends`, group, ['SUCCESS', 'FAILURE', 'STOP'], { resource, suspended: false });
    }
  }

  #on(id: string, group: LambdaDeploymentGroup, states: readonly string[], input: object): void {
    new Rule(this, id, {
      description: 'CasaLingua: suspends autoscaling while a canary shifts',
      eventPattern: {
        source: ['aws.codedeploy'],
        detailType: ['CodeDeploy Deployment State-change Notification'],
        detail: {
          application: [group.application.applicationName],
          deploymentGroup: [group.deploymentGroupName],
          state: [...states],
        },
      },
      targets: [new SfnStateMachine(this.stateMachine, { input: RuleTargetInput.fromObject(input) })],
    });
  }
}
