/** What splits a service's traffic: `split: flag | weights`, or with the flag that goes along. What does not fit together is refused by name. */
import { z } from "zod";
import { flagKeyRule, isFlagKey } from "../../core/flag-document.ts";
import type { MetricSource } from "../../core/objectives.ts";
import { type Split, splitters } from "../../core/split.ts";
import { checkFields, isMap, leaf, type Path, type Problems, word } from "./problems.ts";

const splitter = word(splitters, "unknown splitter");
const splitFields = {
  by: splitter,
  flag: leaf(z.string().refine(isFlagKey), { wrong: "not a flag's key", expected: flagKeyRule }).optional(),
};

/** What of the service a split has to fit to. */
export interface SplitContext {
  readonly source: MetricSource;
  readonly hasControl: boolean;
  readonly hasStickiness: boolean;
  readonly problems: Problems;
}

/**
 * Reads `split: weights`, or `split: { by, flag }`.
 * @returns `undefined` without the key, for plain weights, and after a problem
 */
export function readSplit(raw: unknown, path: Path, context: SplitContext): Split | undefined {
  if (raw === undefined) return undefined;
  const { problems, source } = context;
  const before = problems.texts.length;
  const fields = checkFields(splitFields, isMap(raw) ? raw : { by: raw }, path, problems);
  const { by, flag } = fields;
  if (by === "flag") {
    if (flag === undefined && !(isMap(raw) && "flag" in raw)) {
      problems.add([...path, "flag"], {
        wrong: "missing",
        expected: flagKeyRule,
        wayOut: "Write split: { by: flag, flag: batch-patches-v1 }",
      });
    }
    if (source === "alb") {
      problems.add(
        path,
        {
          wrong: "by flag with source alb: the load balancer cannot tell whose flag was on",
          expected: "source emf, prometheus or datadog",
          wayOut: "Report requests with client/, or split by weights",
        },
        by,
      );
    }
    if (context.hasControl) {
      problems.add(
        path,
        {
          wrong:
            "by flag with a control: every request goes to the canary's processes, and the control would have none",
          expected: "no control",
          wayOut: "Leave control out, or split by weights",
        },
        by,
      );
    }
    if (context.hasStickiness) {
      problems.add(
        path,
        {
          wrong: "by flag with stickinessSeconds: one release has every request, and the flag keeps who is on it",
          expected: "no stickinessSeconds",
          wayOut: "Leave stickinessSeconds out, or split by weights",
        },
        by,
      );
    }
  }
  if (by === undefined || problems.texts.length > before) return undefined;
  if (flag === undefined) return by === "weights" ? undefined : { by };
  return { by, flag };
}
