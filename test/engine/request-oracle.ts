/**
 * Which group a request goes to, by the documentation of listener rules and by nothing of ours: the first rule by priority of which every
 * condition holds. Values of a condition are alternatives; `*` is any run of characters, `?` one. Hosts ignore case, paths do not.
 */
import type { Action, Rule, RuleCondition } from "@aws-sdk/client-elastic-load-balancing-v2";

export interface SampleRequest {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly source?: string;
}

/** Where a request may end: `<group ARN>` of every group with weight, ascending, or what the rule answers. */
export function destinations(rules: readonly Rule[], request: SampleRequest): string[] {
  const rule = ruleFor(rules, request);
  return (rule?.Actions ?? []).flatMap(actionEnds).sort();
}

/** The rule that gets the request. Rules come in the order in which they are tried. */
export function ruleFor(rules: readonly Rule[], request: SampleRequest): Rule | undefined {
  return rules.find(({ Conditions = [] }) => Conditions.every((condition) => holds(condition, request)));
}

function actionEnds({ Type, TargetGroupArn, ForwardConfig }: Action): string[] {
  if (Type !== "forward") return [Type ?? "?"];
  const groups = ForwardConfig?.TargetGroups ?? [{ TargetGroupArn, Weight: 1 }];
  return groups.filter(({ Weight = 1 }) => Weight > 0).map((group) => group.TargetGroupArn ?? "?");
}

function holds(condition: RuleCondition, request: SampleRequest): boolean {
  const { Values = [] } = condition;
  switch (condition.Field) {
    case "host-header":
      return some(condition.HostHeaderConfig?.Values ?? Values, request.host, "i");
    case "path-pattern":
      return some(condition.PathPatternConfig?.Values ?? Values, request.path, "");
    case "http-request-method":
      return (condition.HttpRequestMethodConfig?.Values ?? Values).includes(request.method ?? "GET");
    case "http-header": {
      const { HttpHeaderName = "", Values: patterns = [] } = condition.HttpHeaderConfig ?? {};
      const sent = Object.entries(request.headers ?? {}).filter(
        ([name]) => name.toLowerCase() === HttpHeaderName.toLowerCase(),
      );
      return sent.some(([, value]) => some(patterns, value, "i"));
    }
    case "query-string":
      return (condition.QueryStringConfig?.Values ?? []).some(({ Key, Value = "" }) =>
        Object.entries(request.query ?? {}).some(
          ([key, value]) => (Key === undefined || some([Key], key, "i")) && some([Value], value, "i"),
        ),
      );
    case "source-ip":
      return (condition.SourceIpConfig?.Values ?? []).some((range) => inRange(request.source ?? "198.51.100.1", range));
    default:
      throw new Error(`a condition on ${condition.Field}`);
  }
}

function some(patterns: readonly string[], text: string, flags: string): boolean {
  return patterns.some((pattern) => {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${source}$`, flags).test(text);
  });
}

function inRange(address: string, range: string): boolean {
  const [base = "", length = "32"] = range.split("/");
  const bits = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  return Math.floor(bits(address) / size) === Math.floor(bits(base) / size);
}
