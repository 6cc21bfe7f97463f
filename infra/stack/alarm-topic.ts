import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

export interface AlarmTopicProps {
  readonly emails: readonly string[];
  /** @default - none: SNS's own key would keep CloudWatch from writing */
  readonly key: IKey | undefined;
}

/** Where alarms go. Each address has to confirm once. */
export function createAlarmTopic(scope: Construct, { emails, key }: AlarmTopicProps): Topic {
  const topic = new Topic(scope, 'Alarms', {
    displayName: 'CasaLingua alarms',
    enforceSSL: true,
    ...(key === undefined ? {} : { masterKey: key }),
  });
  // A policy of its own takes the place of the one that lets the account's alarms write.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return topic;
}
