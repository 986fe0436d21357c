/**
 * Reads what a service declares of itself (`core/rollout-facts.ts`) for a policy to judge.
 *
 * The component gives plain values, known in every preview. Whatever else comes (another version's facts, a value that only the cloud
 * will know) is reported as a violation and not passed over: a policy that cannot judge must not look like one that agreed.
 */
import type { PolicyResource, ReportViolation, ResourceValidation, ResourceValidationArgs } from "@pulumi/policy";
import { z } from "zod";
import { indicators, metricSources, responses } from "../../core/objectives.ts";
import { known } from "../known.ts";

/** Type of the component that declares the facts. */
export const serviceType = "tidegate:rollout:ProgressiveService";

const percent = z.number().min(0).max(100);
const form = z.enum(["factor", "points"]);
const reference = z.union([
  z.object({ kind: z.literal("baseline"), form }),
  z.object({ kind: z.literal("previous-wave"), form }),
  z.object({ kind: z.literal("growth") }),
]);
const bound = z.object({
  value: z.number(),
  reference: reference.optional(),
  response: z.enum(responses),
  windowSeconds: z.number().optional(),
});
const wave = z.object({
  exposurePercent: percent,
  // The engine drops a null on the way: no end.
  minimumSoakMinutes: z
    .number()
    .nullish()
    .transform((minutes) => minutes ?? null),
  lookEverySeconds: z.number(),
  minimumRequests: z.number(),
  lowering: z.enum(["automatic", "human"]),
  approvals: z.array(z.string()).optional(),
  criteria: z.array(z.object({ text: z.string(), kind: z.enum(["advance", "rollback"]) })).default([]),
});
const plan = z.object({ name: z.string(), waves: z.array(wave), watchAfterMinutes: z.number() });
const objective = z.object({
  name: z.string(),
  indicator: z.enum(Object.keys(indicators) as (keyof typeof indicators)[]),
  warning: bound.optional(),
  critical: bound.optional(),
  mode: z.enum(["act", "observe"]).optional(),
  disableAnyway: z.boolean().optional(),
  minimumRequests: z.number().optional(),
  minimumErrors: z.number().optional(),
});
const release = z.object({ version: z.string(), adopted: z.boolean() });
const approval = z.object({
  wavePercent: percent,
  role: z.string(),
  by: z.string(),
  at: z.number(),
  version: z.string(),
  digest: z.string().optional(),
  attempt: z.number(),
});
const targetGroup = z.record(z.string(), z.union([z.string(), z.number()]));

/** Every fact that a policy of ours reads, by its name. */
const facts = {
  mode: z.enum(["act", "observe"]),
  source: z.enum(metricSources),
  baseline: release,
  canary: release.extend({ releaseKey: z.string(), attempt: z.number() }).optional(),
  approvals: z.array(approval).default([]),
  exposurePercent: percent,
  openedFromPercent: percent,
  plan,
  objectives: z.array(objective),
  targetGroup,
  dependencyGroup: z.string().optional(),
  otherCanaries: z.array(z.string()),
  armsAndRaises: z.literal(true).optional(),
  overrideReason: z.string().optional(),
  replaceBaselineReason: z.string().optional(),
  recorded: z.object({ plan: plan.optional(), targetGroup: targetGroup.optional() }).optional(),
} satisfies Record<string, z.ZodType>;
type FactName = keyof typeof facts;
type Facts<Name extends FactName> = { readonly [Key in Name]: z.output<(typeof facts)[Key]> };

/** Judges one service by the facts it asked for. */
export type Judge<Name extends FactName> = (
  facts: Facts<Name>,
  args: ResourceValidationArgs,
  report: ReportViolation,
) => void;

/** Judges every service of a program, and nothing else in it. */
export function everyService<Name extends FactName>(names: readonly Name[], judge: Judge<Name>): ResourceValidation {
  return (args, report) => {
    if (args.type !== serviceType) return;
    const given = known(args.props);
    const read: Partial<Record<Name, unknown>> = {};
    const unread: string[] = [];
    for (const name of names) {
      const result = facts[name].safeParse(given[name]);
      if (result.success) read[name] = result.data;
      else unread.push(...result.error.issues.map((issue) => [name, ...issue.path].map(String).join(".")));
    }
    if (unread.length > 0) {
      report(
        `${args.name}: cannot be judged, got nothing readable in ${unread.join(", ")}; expected the plain facts that ProgressiveService ` +
          "declares. Use program and policies of one version, and give the component plain values",
      );
      return;
    }
    judge(read as Facts<Name>, args, report);
  };
}

const risingOutputs = z.object({ step: z.string(), fromPercent: percent, exposurePercent: percent });

/** Whether this very `up` raises a service, by the outputs of its component; `undefined` where they do not say. */
export function raises(service: PolicyResource): boolean | undefined {
  const read = risingOutputs.safeParse(known(service.props));
  if (!read.success) return undefined;
  const { step, fromPercent, exposurePercent } = read.data;
  return exposurePercent > fromPercent || step === "replace-baseline";
}
