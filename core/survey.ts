/**
 * What is found on a load balancer that somebody has in production already: listeners, every rule on them, target groups, and who
 * manages them. Read at program time and by `tidegate init`, never by the hook; what follows from it is `adoption.ts`.
 */

/** One condition of a rule; all of a rule's conditions must hold, any value of a condition is enough. */
export interface SurveyedCondition {
  readonly field:
    | "host-header"
    | "path-pattern"
    | "http-header"
    | "http-request-method"
    | "query-string"
    | "source-ip"
    /** Whatever AWS adds; `otherField` has its name, and this version does not model it. */
    | "other";
  readonly otherField?: string;
  /** Of `http-header` alone. */
  readonly httpHeaderName?: string;
  /** Patterns; empty for `query-string`. */
  readonly values: readonly string[];
  /** Of `query-string` alone. */
  readonly queryStrings?: readonly { readonly key?: string; readonly value: string }[];
  /** Conditions by regular expression, which this version does not model. */
  readonly regexValues?: readonly string[];
}

/** One action of a rule, in the order in which ELBv2 runs them. */
export interface SurveyedAction {
  /** `forward`, `redirect`, `fixed-response`, `authenticate-oidc`, `authenticate-cognito`, `jwt-validation`, or whatever AWS adds. */
  readonly type: string;
  /** Of `forward` alone, groups of weight 0 included. */
  readonly targetGroups?: readonly { readonly arn: string; readonly weight: number }[];
  /** Group stickiness of a forward action; absent: off. Unit: seconds. */
  readonly stickinessSeconds?: number;
  /** Of `fixed-response` and `redirect`: what it answers, such as `404`. */
  readonly statusCode?: string;
}

export interface SurveyedRule {
  readonly arn: string;
  /** Lower comes first; `default` comes last. */
  readonly priority: number | "default";
  readonly conditions: readonly SurveyedCondition[];
  readonly actions: readonly SurveyedAction[];
  /** Kinds of rewriting that the rule does before it forwards, such as `url-rewrite`; absent: none. */
  readonly transforms?: readonly string[];
  /** As `managedBy` of a load balancer. */
  readonly managedBy?: string;
  /** By our tags; absent: somebody else's. */
  readonly ours?: { readonly environment: string; readonly service: string; readonly role: string };
}

export interface SurveyedListener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: string;
  /** As `managedBy` of a load balancer. */
  readonly managedBy?: string;
  /** In the order in which they are tried, the default last. */
  readonly rules: readonly SurveyedRule[];
}

export interface SurveyedLoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly vpcId: string;
  /** A controller that writes this load balancer's rules itself, such as `EKS cluster shop, ingress default/web`; absent: nobody. */
  readonly managedBy?: string;
  /** Groups that hang on it, whatever the listener; absent: not counted. */
  readonly targetGroupArns?: readonly string[];
  /** Rules of all its listeners, defaults left out; absent: not counted. */
  readonly ruleCount?: number;
}

export interface SurveyedTargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly targetType: "instance" | "ip" | "lambda" | "alb";
  /** Absent for Lambda targets. */
  readonly port?: number;
  readonly protocol?: string;
  readonly vpcId?: string;
  /** A group can hang on one load balancer alone. */
  readonly loadBalancerArns: readonly string[];
  readonly healthChecksEnabled: boolean;
  /** Stickiness of its own; absent: off. */
  readonly stickinessType?: string;
  /** As `managedBy` of a load balancer: a TargetGroupBinding registers targets, which is fine, an Ingress is not. */
  readonly managedBy?: string;
}

/** Everything that was asked for and exists; what does not exist is absent. */
export interface Survey {
  readonly loadBalancers: readonly SurveyedLoadBalancer[];
  readonly listeners: readonly SurveyedListener[];
  readonly targetGroups: readonly SurveyedTargetGroup[];
}

/** Reads what is there. Only reads. */
export interface Surveyor {
  /** The listeners of these ARNs with all their rules, their load balancers, and these target groups. */
  survey(query: {
    readonly listenerArns: readonly string[];
    readonly targetGroupArns: readonly string[];
  }): Promise<Survey>;
}
