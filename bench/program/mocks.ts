/** What both programs are measured on: mocks that answer at once, with ARNs of the right form and nothing else. */
import type * as pulumi from "@pulumi/pulumi";

/** What stands for the account. */
export const project = { organization: "bench", name: "tidegate", stack: "bench", region: "eu-west-1" } as const;

/** What one run took, from the start of its process. */
export interface ProgramRun {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Most resident memory of the process. Unit: 10^6 bytes. */
  readonly peakMegabytes: number;
  /** Registered resources, by type. */
  readonly resources: Readonly<Record<string, number>>;
}

const balancing = `arn:aws:elasticloadbalancing:${project.region}:123456789012`;
const paths: Readonly<Record<string, string>> = {
  "aws:lb/targetGroup:TargetGroup": "targetgroup",
  "aws:lb/loadBalancer:LoadBalancer": "loadbalancer/app",
  "aws:lb/listener:Listener": "listener/app/bench/1",
  "aws:lb/listenerRule:ListenerRule": "listener-rule/app/bench/1/2",
};

/** @param counted takes down how many resources of each type there were */
export function answers(counted: Record<string, number>): pulumi.runtime.Mocks {
  return {
    newResource: ({ type, name, inputs, custom }) => {
      counted[type] = (counted[type] ?? 0) + 1;
      if (custom !== true) return { id: undefined, state: inputs };
      const path = paths[type];
      const arn =
        path === undefined ? `arn:aws:bench:${project.region}:123456789012:${name}` : `${balancing}:${path}/${name}/1`;
      const state = { ...inputs, name: inputs.name ?? name, arn, arnSuffix: `${path}/${name}/1` };
      return { id: arn, state };
    },
    call: ({ token }) => {
      throw new Error(`the bench answers no look-ups, got ${token}`);
    },
  };
}
