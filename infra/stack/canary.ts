import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { ServiceAlarms } from './alarms.ts';
import type { ServiceFunction } from './service-function.ts';

export interface CanaryProps {
  /** The functions that are shifted, by name. */
  readonly functions: ReadonlyMap<string, ServiceFunction>;
  readonly alarms: ServiceAlarms;
}

/**
 * Lets CodeDeploy shift an alias to a new version: a tenth of the calls for five minutes, then all; an alarm turns it back.
 * CloudFormation starts and awaits it as part of a deployment.
 */
export class Canary extends Construct {
  readonly application: LambdaApplication;
  readonly groups: ReadonlyMap<string, LambdaDeploymentGroup>;

  constructor(scope: Construct, id: string, { functions, alarms }: CanaryProps) {
    super(scope, id);
    this.application = new LambdaApplication(this, 'Application');
    this.groups = new Map(
      [...functions].map(([name, { alias }]) => {
        const group = new LambdaDeploymentGroup(this, name, {
          application: this.application,
          alias,
          deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
          alarms: [...alarms.againstVersionOf(name)],
          autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
        });
        acknowledge(group, {
          'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]':
            "AWS's own policy for this one service, which only CodeDeploy can assume; AWS keeps it in step with what CodeDeploy calls.",
        });
        return [name, group];
      }),
    );
  }
}
