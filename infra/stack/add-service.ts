import { type App, Tags } from 'aws-cdk-lib';
import type { StageConfig } from '../config.ts';
import { ServiceStack, type ServiceStackProps } from './service-stack.ts';

/**
 * Puts the stack of one stage into an app. The stack knows no account, and a region only where the stage names one, so
 * that it can be synthesised anywhere; it goes to wherever the credentials of the command line are at home.
 * @throws StageConfigError
 */
export function addService(app: App, props: Pick<ServiceStackProps, 'config' | 'code' | 'needs'>): ServiceStack {
  const stack = new ServiceStack(app, stackName(props.config), {
    ...props,
    ...(props.config.region === undefined ? {} : { env: { region: props.config.region } }),
    terminationProtection: props.config.keepData,
  });
  // Of tags on these cfn-lint 1.51 does not know yet.
  const options = {
    excludeResourceTypes: ['AWS::ApplicationAutoScaling::ScalableTarget', 'AWS::CloudWatch::Dashboard'],
  };
  Tags.of(app).add('casalingua:project', 'casalingua', options);
  Tags.of(app).add('casalingua:stage', props.config.stage, options);
  return stack;
}

/** E.g. `CasaLingua-production`. */
export function stackName({ stage }: Pick<StageConfig, 'stage'>): string {
  return `CasaLingua-${stage}`;
}
