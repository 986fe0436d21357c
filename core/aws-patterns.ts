/** Shapes of what AWS gives names to, for config and commands alike: plain patterns, so that a kill loads no schema library for them. */

/** A region such as `eu-west-1`. */
export const regionPattern = /^[a-z]{2,3}(?:-[a-z]+)+-\d$/;

/** The ARN of an application load balancer's listener. */
export const listenerArnPattern =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener\/app\/[A-Za-z0-9-]{1,32}\/[0-9a-f]{8,32}\/[0-9a-f]{8,32}$/;
