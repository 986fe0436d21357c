// Rules and listeners in the program's shape (Pulumi) and in the API's (ELBv2), there and back. Pure.
import { equal, Refused } from "./wire.mjs";

const withoutUndefined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
const capitalised = (key) => key[0].toUpperCase() + key.slice(1);
const uncapitalised = (key) => key[0].toLowerCase() + key.slice(1);
const mapKeys = (object, rename) =>
  object && withoutUndefined(Object.fromEntries(Object.entries(object).map(([key, value]) => [rename(key), value])));

function toForward({ stickiness, targetGroups }) {
  const TargetGroups = targetGroups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: weight ?? 1 }));
  if (!stickiness) return { TargetGroups };
  // The API refuses a duration of 0, which is how a program (and a refresh) spells "off".
  const DurationSeconds = stickiness.duration || undefined;
  return {
    TargetGroups,
    TargetGroupStickinessConfig: withoutUndefined({ Enabled: stickiness.enabled ?? false, DurationSeconds }),
  };
}

function toAction(action, index) {
  const base = { Type: action.type, Order: action.order ?? index + 1 };
  switch (action.type) {
    case "forward":
      return {
        ...base,
        ForwardConfig: toForward(action.forward ?? { targetGroups: [{ arn: action.targetGroupArn }] }),
      };
    case "fixed-response":
      return { ...base, FixedResponseConfig: mapKeys(action.fixedResponse, capitalised) };
    case "redirect":
      return { ...base, RedirectConfig: mapKeys(action.redirect, capitalised) };
    default:
      throw new Refused(`an action of type ${action.type}`);
  }
}

function fromAction(live, index) {
  const base = { type: live.Type, order: live.Order ?? index + 1 };
  if (live.Type === "fixed-response")
    return { ...base, fixedResponse: mapKeys(live.FixedResponseConfig, uncapitalised) };
  if (live.Type === "redirect") return { ...base, redirect: mapKeys(live.RedirectConfig, uncapitalised) };
  if (live.Type !== "forward") throw new Refused(`a live action of type ${live.Type}`);
  const groups = live.ForwardConfig?.TargetGroups ?? [{ TargetGroupArn: live.TargetGroupArn }];
  const targetGroups = groups.map((group) => ({ arn: group.TargetGroupArn, weight: group.Weight ?? 1 }));
  const sticky = live.ForwardConfig?.TargetGroupStickinessConfig;
  const stickiness = sticky?.Enabled ? { enabled: true, duration: sticky.DurationSeconds } : undefined;
  return { ...base, forward: withoutUndefined({ targetGroups, stickiness }) };
}

const CONDITION_FIELDS = {
  hostHeader: "host-header",
  httpHeader: "http-header",
  httpRequestMethod: "http-request-method",
  pathPattern: "path-pattern",
  queryStrings: "query-string",
  sourceIp: "source-ip",
};

function toCondition(condition) {
  const [[key, value]] = Object.entries(condition);
  const Field = CONDITION_FIELDS[key];
  if (!Field || value.regexValues) throw new Refused(`a rule condition on ${Field ? `${key}.regexValues` : key}`);
  if (key === "queryStrings")
    return { Field, QueryStringConfig: { Values: value.map((pair) => mapKeys(pair, capitalised)) } };
  const named = key === "httpHeader" ? { HttpHeaderName: value.httpHeaderName } : {};
  return { Field, [`${capitalised(key)}Config`]: { ...named, Values: value.values } };
}

function fromCondition(live) {
  const found = Object.entries(CONDITION_FIELDS).find(([, field]) => field === live.Field);
  if (!found) throw new Refused(`a live rule condition on ${live.Field}`);
  const [key] = found;
  if (key === "queryStrings")
    return { queryStrings: live.QueryStringConfig.Values.map((pair) => mapKeys(pair, uncapitalised)) };
  const config = live[`${capitalised(key)}Config`] ?? { Values: live.Values };
  return { [key]: withoutUndefined({ httpHeaderName: config.HttpHeaderName, values: config.Values }) };
}

export const toActions = (actions) => actions.map(toAction);
export const toConditions = (conditions) => conditions.map(toCondition);

/**
 * What a refresh answers: the program's own words while they still say what is live, the live state in our words once they do not.
 * Without this, every spelling the API does not echo (a lone `targetGroupArn`, a left-out weight) would be drift for ever.
 */
const live = (to, from) => (ours, theirs) => {
  const found = theirs.map(from);
  return ours && equal(to(ours).map(from), found) ? ours : found;
};
export const liveActions = live(toActions, fromAction);
export const liveConditions = live(toConditions, fromCondition);

/** The look-ups (`getListener`) spell the same action with plural keys and lists of one. */
export const lookedUpActions = (actions) =>
  actions.map(fromAction).map(({ forward, fixedResponse, redirect, ...rest }) => ({
    ...rest,
    forwards: forward
      ? [{ targetGroups: forward.targetGroups, stickinesses: forward.stickiness ? [forward.stickiness] : [] }]
      : [],
    fixedResponses: fixedResponse ? [fixedResponse] : [],
    redirects: redirect ? [redirect] : [],
  }));

const LOAD_BALANCER_ATTRIBUTES = {
  idleTimeout: "idle_timeout.timeout_seconds",
  enableDeletionProtection: "deletion_protection.enabled",
  enableHttp2: "routing.http2.enabled",
  dropInvalidHeaderFields: "routing.http.drop_invalid_header_fields.enabled",
  desyncMitigationMode: "routing.http.desync_mitigation_mode",
  clientKeepAlive: "client_keep_alive.seconds",
};
const TARGET_GROUP_ATTRIBUTES = {
  deregistrationDelay: "deregistration_delay.timeout_seconds",
  slowStart: "slow_start.duration_seconds",
  loadBalancingAlgorithmType: "load_balancing.algorithm.type",
};
const listed = (table, inputs) =>
  Object.entries(table)
    .filter(([key]) => inputs[key] !== undefined)
    .map(([key, Key]) => ({ Key, Value: String(inputs[key]) }));

export const loadBalancerAttributes = (inputs) => listed(LOAD_BALANCER_ATTRIBUTES, inputs);
export function targetGroupAttributes({ stickiness, ...inputs }) {
  const sticky = stickiness && { "stickiness.enabled": stickiness.enabled ?? true, "stickiness.type": stickiness.type };
  if (sticky && stickiness.cookieDuration) sticky["stickiness.lb_cookie.duration_seconds"] = stickiness.cookieDuration;
  return [
    ...listed(TARGET_GROUP_ATTRIBUTES, inputs),
    ...Object.entries(sticky ?? {}).map(([Key, value]) => ({ Key, Value: String(value) })),
  ];
}

export function healthCheck(check = {}) {
  const seconds = { HealthCheckIntervalSeconds: check.interval, HealthCheckTimeoutSeconds: check.timeout };
  const counts = { HealthyThresholdCount: check.healthyThreshold, UnhealthyThresholdCount: check.unhealthyThreshold };
  const target = { HealthCheckPath: check.path, HealthCheckPort: check.port, HealthCheckProtocol: check.protocol };
  const Matcher = check.matcher ? { HttpCode: check.matcher } : undefined;
  return withoutUndefined({ ...seconds, ...counts, ...target, Matcher, HealthCheckEnabled: check.enabled });
}

const COMMON = ["tags", "tagsAll", "region"];
const MIRRORED = {
  loadBalancer: ["name", "internal", "loadBalancerType", "ipAddressType", "subnets", "securityGroups"].concat(
    Object.keys(LOAD_BALANCER_ATTRIBUTES),
  ),
  targetGroup: [
    "name",
    "port",
    "protocol",
    "protocolVersion",
    "targetType",
    "vpcId",
    "ipAddressType",
    "healthCheck",
    "stickiness",
  ].concat(Object.keys(TARGET_GROUP_ATTRIBUTES)),
  listener: ["loadBalancerArn", "port", "protocol", "certificateArn", "sslPolicy", "defaultActions"],
  listenerRule: ["listenerArn", "priority", "actions", "conditions"],
};
/** An input that would silently not reach the emulator would make a passing test a lie. */
export function refuseUnmirrored(kind, inputs) {
  const strange = Object.keys(inputs).filter(
    (key) => !key.startsWith("__") && ![...MIRRORED[kind], ...COMMON].includes(key),
  );
  if (strange.length) throw new Refused(`mirroring ${kind}.${strange.join(`, ${kind}.`)} to the emulator`);
}
