/** Target groups that are not ours, and whether what is declared still fits on their load balancer. */
import type { AdoptingService, Finding, SurveyedRoute } from "./adoption-model.ts";
import { sharedFindings } from "./adoption-shared.ts";
import { groupName } from "./adoption-words.ts";
import { controlKey } from "./control.ts";
import { controlGroupLogicalName, releaseKey, targetGroupLogicalName } from "./naming.ts";
import type { Survey, SurveyedTargetGroup } from "./survey.ts";

/** Not adjustable. Source: "Quotas for your Application Load Balancers", ALB user guide, read 2026-11. */
const mostGroups = 100;
/** Defaults left out; adjustable. Source: as above. */
const mostRules = 100;

type Role = "baseline" | "canary" | "control";

/** A group as the config wants it. */
interface WantedGroup {
  readonly role: Role;
  /** What the program calls it, if it makes it. */
  readonly logicalName: string;
  /** Absent: the program makes it. */
  readonly arn?: string;
  /** The record does not have it yet. */
  readonly isNew: boolean;
}

type AdoptedGroup = WantedGroup & { readonly arn: string };

/** Everything about the groups of one service. */
export function groupFindings(service: AdoptingService, routes: readonly SurveyedRoute[], survey: Survey): Finding[] {
  const adopted = adoptedGroups(service);
  return [
    ...adopted.flatMap((group) => [
      ...oneGroup(service, group, routes, survey),
      ...sharedFindings(service, group, routes, survey),
    ]),
    ...typeFindings(service, adopted, survey),
    ...limitFindings(service, routes, survey),
  ];
}

function wantedGroups({ name, baseline, canary, control, record }: AdoptingService): WantedGroup[] {
  const ofRelease = (role: Role, release: typeof baseline): WantedGroup => ({
    role,
    logicalName: targetGroupLogicalName(name, releaseKey(release)),
    isNew: record?.releases[release.digest] === undefined,
    ...(release.targetGroupArn === undefined ? {} : { arn: release.targetGroupArn }),
  });
  if (!canary) return [ofRelease("baseline", baseline)];
  const ofControl = (arn: string | undefined): WantedGroup => ({
    role: "control",
    logicalName: controlGroupLogicalName(name, controlKey(releaseKey(baseline))),
    isNew: record?.control === undefined || (arn !== undefined && record.control.targetGroupArn !== arn),
    ...(arn === undefined ? {} : { arn }),
  });
  return [
    ofRelease("baseline", baseline),
    ofRelease("canary", canary),
    ...(control ? [ofControl(control.targetGroupArn)] : []),
  ];
}

function adoptedGroups(service: AdoptingService): AdoptedGroup[] {
  return wantedGroups(service).flatMap((group) => (group.arn === undefined ? [] : [{ ...group, arn: group.arn }]));
}

function oneGroup(
  { name }: AdoptingService,
  { role, arn, isNew }: AdoptedGroup,
  routes: readonly SurveyedRoute[],
  survey: Survey,
): Finding[] {
  const at = `services.${name}.${role}.targetGroupArn`;
  const problem = (text: string): Finding => ({ kind: "problem", text: `${at}: ${text}`, isNew });
  const group = survey.targetGroups.find((candidate) => candidate.arn === arn);
  if (!group) {
    return [
      problem(
        `no such target group, got ${arn}; expected one that exists. Find it with aws elbv2 describe-target-groups`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (group.managedBy !== undefined) {
    findings.push(
      problem(
        `${group.name} is written by a controller, which detaches and deletes it as it sees fit, got ${group.managedBy}; ` +
          "expected a group of your own. Make one, and register the pods in it with a TargetGroupBinding",
      ),
    );
  }
  if (group.targetType === "alb") {
    findings.push(
      problem(
        `${group.name} has load balancers for targets, got type alb; expected instance, ip or lambda. Name the group behind that load balancer`,
      ),
    );
  }
  if (group.stickinessType !== undefined) {
    findings.push(
      problem(
        `${group.name} has stickiness of its own, got ${group.stickinessType}; expected none, because a cookie beats a weight and cannot be reset from the server. ` +
          "Turn it off on the group; the service's stickinessSeconds keeps clients on a release instead",
      ),
    );
  }
  const balancer = routes[0]?.listener.loadBalancerArn;
  const elsewhere = group.loadBalancerArns.filter((other) => other !== balancer);
  if (balancer !== undefined && elsewhere.length > 0) {
    findings.push(
      problem(
        `${group.name} hangs on another load balancer, got ${elsewhere.map(balancerName).join(", ")}; expected ${balancerName(balancer)} or none. ` +
          "A target group hangs on one load balancer alone; make another with the same targets",
      ),
    );
  }
  const vpcId = survey.loadBalancers.find((candidate) => candidate.arn === balancer)?.vpcId;
  if (vpcId !== undefined && group.vpcId !== undefined && vpcId !== group.vpcId) {
    findings.push(
      problem(
        `${group.name} is in another VPC than load balancer ${balancerName(balancer ?? "")}, got ${group.vpcId}; expected ${vpcId}. Make a group in that VPC`,
      ),
    );
  }
  return findings;
}

function balancerName(arn: string): string {
  return arn.split("/")[2] ?? arn;
}

/** A canary or control of another kind measures the kind, and not the release. */
function typeFindings(service: AdoptingService, adopted: readonly AdoptedGroup[], survey: Survey): Finding[] {
  const { name, ownTargetType } = service;
  if (adopted.length === 0) return [];
  const typeOf = ({ arn }: WantedGroup): SurveyedTargetGroup["targetType"] | undefined =>
    arn === undefined ? ownTargetType : survey.targetGroups.find((group) => group.arn === arn)?.targetType;
  const [baseline, ...others] = wantedGroups(service);
  const expected = baseline && typeOf(baseline);
  return others.flatMap((group): Finding[] => {
    const type = typeOf(group);
    if (expected === undefined || type === undefined || type === expected) return [];
    const wayOut =
      group.arn === undefined && expected !== "lambda" && expected !== "alb"
        ? `Write targetGroup: { targetType: ${expected} }`
        : "Name a target group of that type";
    return [
      {
        kind: "problem",
        isNew: group.isNew,
        text: `services.${name}.${group.role}: another type of targets than the baseline's, got ${type}; expected ${expected}. ${wayOut}`,
      },
    ];
  });
}

/** Quotas of the load balancer, as far as it was counted. */
function limitFindings(service: AdoptingService, routes: readonly SurveyedRoute[], survey: Survey): Finding[] {
  const balancer = survey.loadBalancers.find(({ arn }) => arn === routes[0]?.listener.loadBalancerArn);
  if (!balancer) return [];
  const place = `services.${service.name}`;
  const findings: Finding[] = [];
  const attached = balancer.targetGroupArns;
  const added = attached ? wantedGroups(service).filter((group) => !isAttached(group, attached)) : [];
  if (attached && added.length > 0 && attached.length + added.length > mostGroups) {
    findings.push({
      kind: "problem",
      isNew: true,
      text:
        `${place}: too many target groups for load balancer ${balancer.name}, got ${attached.length} and ${added.length} more; expected at most ${mostGroups}, ` +
        "which AWS does not raise. Remove groups that nobody uses, or put the service on another load balancer",
    });
  }
  const perRoute = service.testers ? 2 : 1;
  const newRoutes = routes.filter(({ live }) => live === undefined).length;
  const newRules = newRoutes * perRoute + (service.isFirst ? 1 : 0);
  if (balancer.ruleCount !== undefined && newRules > 0 && balancer.ruleCount + newRules > mostRules) {
    findings.push({
      kind: "warning",
      isNew: true,
      text:
        `load balancer ${balancer.name} has ${balancer.ruleCount} rules and this service adds ${newRules}; the quota is ${mostRules} unless AWS has raised it ` +
        "(Service Quotas, Rules per Application Load Balancer)",
    });
  }
  return findings;
}

/** Whether a group hangs there already; one that the program makes is known by the start of its name. */
function isAttached({ arn: adopted, logicalName }: WantedGroup, attached: readonly string[]): boolean {
  return attached.some((arn) => arn === adopted || groupName(arn).startsWith(`${logicalName}-`));
}
