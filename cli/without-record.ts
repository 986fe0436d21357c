/**
 * `kill` where no record can be used: lost, of a newer schema, garbage, or the wrong account. Nothing says which release is the good one,
 * so what is live is shown, and a person says with `--to` who gets all traffic.
 */
import { oneLine } from "../core/error-message.ts";
import { tableName } from "../core/naming.ts";
import type { ForwardAction, Ports } from "../hooks/ports.ts";
import { CommandFailedError } from "./failures.ts";
import { type Change, confirmed, placeWords, whereWords } from "./operation.ts";
import { recordProblem } from "./read-record.ts";
import { report } from "./report.ts";

/** Says what was found and how to go on; changes nothing. */
export async function refuseWithoutRecord(change: Change, why: string, hookFailure: string): Promise<void> {
  const { service, place } = change;
  const { liveGroups } = await import("../hooks/commands.ts");
  const ports = await change.connection.ports();
  const found: string[] = [
    `  record: ${why} (table ${tableName(place.environment)})`,
    `  ${hookFailure}`,
    `  looked in: ${await whereWords(change)}`,
  ];
  let rules: Awaited<ReturnType<typeof liveGroups>> = [];
  try {
    rules = await liveGroups(ports, { listener: place.listener, environment: place.environment, service });
    found.push(
      ...(rules.length === 0
        ? [`  live: no rule tagged as a main rule of it on ${listenerWords(change)}`]
        : ["  live:"]),
    );
  } catch (error) {
    found.push(`  live: could not be read: ${oneLine(error)}`);
  }
  const accountId = (await change.who).accountId ?? null;
  const lines =
    rules.length === 0
      ? [
          `${service}: kill: nothing of it was found in ${place.environment}, and nothing was changed:`,
          ...found,
          ...(await servicesWords(ports)),
          "Another account or region than the stack's? Sign in to the stack's: --profile, AWS_PROFILE, --region.",
          `An adopted listener? Name it: --listener <ARN>${change.namesStack ? "" : ", or --stack where its file is"}.`,
        ]
      : [
          `${service}: kill: its record in ${place.environment} cannot be used, and nothing was changed:`,
          ...found,
          ...rules.map(({ ruleArn, weights }) => `    ${ruleArn}: ${weightsWords(weights)}`),
          "Say who gets all traffic; the record stays as it is:",
          ...groupNames(rules).map((name) => `  ${againWords(change)} --to ${name}`),
        ];
  const withoutRecord = { why, accountId, rules };
  await report(change, { outcome: "refused", through: null, message: lines.join("\n"), hookFailure, withoutRecord });
}

/** All traffic to one target group, which a person named. @param to its name, or its ARN */
export async function killTo(change: Change, to: string): Promise<void> {
  const { service, place } = change;
  await confirmed(
    change,
    async () =>
      `kill: gives all traffic of ${service} in ${place.environment} to ${to}, and writes nothing to the record.`,
  );
  const why = await recordProblem(change);
  if (why === undefined) {
    return report(change, {
      outcome: "refused",
      through: null,
      message: `${service}: kill: its record can be read and says who gets the traffic, so --to ${to} is refused; nothing was changed. Leave --to out`,
    });
  }
  const [ports, { CommandRefusedError, killWithoutRecord }] = await Promise.all([
    change.connection.ports(),
    import("../hooks/commands.ts"),
  ]);
  const withoutRecord = { why, accountId: (await change.who).accountId ?? null, rules: [] };
  try {
    const message = await killWithoutRecord(ports, {
      listener: place.listener,
      environment: place.environment,
      service,
      receiver: to,
      said: { by: (await change.who).by, reason: change.reason },
    });
    return await report(change, { outcome: "done", through: "here", message, withoutRecord });
  } catch (error) {
    if (error instanceof CommandRefusedError) {
      const message = `${error.message} (${await whereWords(change)})`;
      return report(change, { outcome: "refused", through: null, message, withoutRecord });
    }
    throw new CommandFailedError(
      `${service}: kill: ${oneLine(error)} (${await whereWords(change)}). Weights may be written or not; say it again, or write them by hand (runbook record-unreadable)`,
    );
  }
}

function listenerWords({ place: { listener } }: Change): string {
  return "arn" in listener ? `listener ${listener.arn}` : `load balancer ${listener.loadBalancerName}`;
}

/** `checkout-blue 75 %, checkout-green 25 %`: names, for that is what `--to` takes. */
function weightsWords(weights: ForwardAction["weights"]): string {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.entries(weights)
    .map(([arn, weight]) => `${groupName(arn)} ${total === 0 ? 0 : Math.round((1_000 * weight) / total) / 10} %`)
    .join(", ");
}

function groupNames(rules: readonly { readonly weights: ForwardAction["weights"] }[]): string[] {
  return [...new Set(rules.flatMap(({ weights }) => Object.keys(weights)))].map(groupName);
}

/** `arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>` gives its name. */
function groupName(arn: string): string {
  return /:targetgroup\/([^/]+)\//.exec(arn)?.[1] ?? arn;
}

/** The same command line once more. */
function againWords({ place, service, reason }: Change): string {
  const listener = "arn" in place.listener ? ` --listener ${place.listener.arn}` : "";
  return `npx tidegate kill ${placeWords(place)} --service ${service} --reason '${reason.replaceAll("'", "'\\''")}'${listener}`;
}

async function servicesWords(ports: Ports): Promise<string[]> {
  try {
    const services = await ports.records.list();
    return [`  services with a record here: ${services.join(", ") || "none"}`];
  } catch {
    return [];
  }
}
