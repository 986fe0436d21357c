/**
 * The program's first phase: reads what is real and decides, for every service, what its rules shall say. Only reads; the
 * guard looks again before anything is written.
 */
import { type AdoptionVerdict, judgeAdoption, judgeLeaving, judgeShrinking, unsurveyed } from "../core/adoption.ts";
import type { Declaration, Intent, Notice, Reality } from "../core/declaration.ts";
import { declare } from "../core/declare.ts";
import { describeDetections } from "../core/detection.ts";
import { budgetText, pausesAdvances } from "../core/error-budget.ts";
import type { MeasuredFinish } from "../core/finished-releases.ts";
import type { SoakEvidence } from "../core/gate/evidence.ts";
import type { Verdict } from "../core/gate/verdict.ts";
import type { Instant, RolloutRecord } from "../core/record.ts";
import { type PeerWords, peerRefusals, unsharedNotices } from "../hooks/peers.ts";
import { type EnvironmentConfig, intentOf, type ServiceConfig } from "./config.ts";
import { adoptingService, adopts, type EnvironmentSurvey, notSurveyed, untoldGroups } from "./decide/adoption.ts";
import { readSaid } from "./decide/checks.ts";
import { readEvidence } from "./decide/evidence.ts";
import { knownFigures, readFigures, readFinish } from "./decide/figures.ts";
import { readLadder } from "./decide/ladder.ts";
import { type DecidePorts, readReality } from "./decide/reality.ts";
import { unwatchedNotices } from "./decide/unwatched.ts";

export { type EnvironmentSurvey, surveyEnvironment } from "./decide/adoption.ts";
export type { DecidePorts } from "./decide/reality.ts";

/** One service on its way to a decision. */
interface Proposal {
  readonly service: ServiceConfig;
  readonly intent: Intent;
  readonly reality: Reality;
  readonly now: Instant;
  readonly evidence: SoakEvidence | undefined;
  readonly declared: Declaration;
  /** Reasons in other regions against what was declared, and what else is to be said of them. */
  readonly peers: PeerWords;
}

/**
 * Decides for every service of the config. Whether they are this stack's to declare is `ownership.ts`.
 * @param adopted what `surveyEnvironment` found. @default nobody looked, and then nothing that is adopted is taken up or raised
 */
export async function decideEnvironment(
  config: EnvironmentConfig,
  ports: DecidePorts,
  adopted: EnvironmentSurvey = notSurveyed(config),
): Promise<Declaration[]> {
  const proposals: Proposal[] = [];
  for (const service of config.services) proposals.push(await propose(config, service, adopted, ports));
  const verdicts = adoptionVerdicts(config, proposals, adopted);
  return proposals.map((proposal) => {
    const { service, intent, reality, now, evidence } = proposal;
    const { refusals: adoption, notices } = verdicts[service.name] ?? { refusals: [], notices: [] };
    const refusals = [...adoption, ...proposal.peers.refusals];
    const { figures, finish } = proposal.declared;
    const declared =
      refusals.length > 0
        ? {
            ...declare(intent, reality, now, evidence, refusals),
            ...(figures ? { figures } : {}),
            ...(finish ? { finish } : {}),
          }
        : proposal.declared;
    return {
      ...declared,
      notices: [
        ...declared.notices,
        ...notices,
        ...overridden(declared),
        ...budgetNotices(service, evidence),
        ...unwatchedNotices(service, declared, adopted.found),
        ...inSight(service, declared),
        ...proposal.peers.notices,
        ...unsharedNotices(declared, config.peers),
      ],
    };
  });
}

async function propose(
  config: EnvironmentConfig,
  service: ServiceConfig,
  { found }: EnvironmentSurvey,
  ports: DecidePorts,
): Promise<Proposal> {
  const intent = intentOf(config, service);
  const reality = await readReality(config, service, intent, ports);
  const now = ports.clock.now();
  const first = declare(intent, reality, now);
  const needsEvidence = reality.kind === "record" && (first.step === "opening" || first.step === "finish");
  const read = needsEvidence ? await readFigures(service, reality.record, first, found, ports) : undefined;
  const ladder = needsEvidence ? await readLadder(config, service, reality.record, first, found, ports) : undefined;
  const evidence = needsEvidence
    ? {
        ...(await readEvidence(config.environment, service, reality.record, first.step, found, ports)),
        ...(read?.unreadable === undefined ? {} : { figuresUnreadable: read.unreadable }),
        ...(first.step === "opening" ? await readSaid(config, service, reality.record, now) : {}),
        ...(ladder === undefined ? {} : { ladder }),
      }
    : undefined;
  const decided = evidence ? declare(intent, reality, now, evidence) : first;
  const figures =
    read && decided.step === "opening"
      ? read.figures
      : reality.kind === "record"
        ? knownFigures(reality.record, decided)
        : [];
  const finish = reality.kind === "record" ? await finishOf(service, reality.record, decided, found, ports) : undefined;
  const declared = {
    ...decided,
    ...(figures.length > 0 ? { figures } : {}),
    ...(finish ? { finish } : {}),
    ...ladderWord(config, decided, ladder),
  };
  const peers = await peerRefusals(ports, {
    declaration: declared,
    configured: config.peers,
    recorded: reality.kind === "record" ? (reality.record.peers ?? []) : [],
    ownRegion: config.region,
  });
  return { service, intent, reality, now, evidence, declared, peers };
}

/** What the baseline came to when it finished: read now, or as the record has it, so that an idle `up` declares the same. */
async function finishOf(
  service: ServiceConfig,
  record: RolloutRecord,
  { step, baseline }: Declaration,
  found: EnvironmentSurvey["found"],
  ports: DecidePorts,
): Promise<MeasuredFinish | undefined> {
  if (step === "finish") return readFinish(service, record, found, ports);
  const { figures, requests } = record.finished?.[baseline] ?? {};
  if (figures === undefined || Object.keys(figures).length === 0) return undefined;
  return { figures, ...(requests === undefined ? {} : { requests }) };
}

/** Whether the release that opens its first wave finished below; for policies. */
function ladderWord(
  { ladderBelow }: EnvironmentConfig,
  { step, verdict }: Declaration,
  evidence: SoakEvidence["ladder"],
): Pick<Declaration, "ladder"> {
  if (ladderBelow === undefined || evidence === undefined || step !== "opening") return {};
  const findings = verdict?.findings.filter(({ rule }) => rule === "ladder") ?? [];
  const isClimbed = findings.length > 0 && findings.every((finding) => finding.verdict === "promote");
  return { ladder: { below: ladderBelow, isClimbed } };
}

/** What the survey says for and against each service that adopts something, and against leaving one. */
function adoptionVerdicts(
  config: EnvironmentConfig,
  proposals: readonly Proposal[],
  adopted: EnvironmentSurvey,
): Readonly<Record<string, AdoptionVerdict>> {
  const judged = proposals.map(({ service, reality, declared }) => ({
    ...adoptingService(config, service, reality, declared, adopted),
    retires: service.retire,
    overrideReason: service.overrideReason,
    adopts: adopts(config, service),
  }));
  const verdicts = adopted.kind === "surveyed" ? judgeAdoption(judged, adopted.survey) : {};
  return Object.fromEntries(
    judged.map((service) => {
      if (!service.adopts) return [service.name, none];
      const verdict =
        adopted.kind === "unreadable"
          ? unsurveyed(service, adopted.reason, untoldGroups(service, adopted.found))
          : (verdicts[service.name] ?? none);
      if (!service.record) return [service.name, verdict];
      if (!service.retires) {
        const shrinking = adopted.kind === "surveyed" ? judgeShrinking(service, judged, adopted.survey) : [];
        return [service.name, leaving(verdict, shrinking, service.overrideReason)];
      }
      const against =
        adopted.kind === "surveyed"
          ? judgeLeaving(service, judged, adopted.survey)
          : [
              `services.${service.name}.retire: who takes over could not be read; expected a readable listener. Restore access to ELBv2, or say overrideReason`,
            ];
      return [service.name, leaving(verdict, against, service.overrideReason)];
    }),
  );
}

const none: AdoptionVerdict = { refusals: [], notices: [] };

/** Reasons against leaving refuse it, unless a person has said why it may be; the commit records that reason. */
function leaving(
  verdict: AdoptionVerdict,
  against: readonly string[],
  overrideReason: string | undefined,
): AdoptionVerdict {
  if (overrideReason === undefined) return { ...verdict, refusals: [...verdict.refusals, ...against] };
  const notices = against.map((text): Notice => {
    return { kind: "note", severity: "warning", text: `${text}. OVERRIDDEN (${overrideReason})` };
  });
  return { ...verdict, notices: [...verdict.notices, ...notices] };
}

/** What is left of the error budget, wherever a wave is about to open; and that it could not be read, even where that is overridden. */
function budgetNotices(service: ServiceConfig, evidence: SoakEvidence | undefined): Notice[] {
  const budget = evidence?.errorBudget;
  if (budget === undefined) return [];
  if ("unreadable" in budget) {
    const text = `${service.name}: the error budget could not be read: ${budget.unreadable}`;
    return [{ kind: "note", severity: "warning", text }];
  }
  const severity = pausesAdvances(budget) ? "warning" : "info";
  return [{ kind: "note", severity, text: `${service.name}: ${budgetText(budget)}` }];
}

/** An override left in the config would lift the same of every later wave too. */
function overridden({ service, step, overrideReason, verdict }: Declaration): Notice[] {
  if (overrideReason === undefined || (step !== "opening" && step !== "finish")) return [];
  const text = `${service}: the gate's rules of time and measurement are OVERRIDDEN (${overrideReason})${liftedWords(verdict)}; take overrideReason out again after this up`;
  return [{ kind: "override", severity: "warning", text }];
}

/** What would have stopped it. */
function liftedWords(verdict: Verdict | undefined): string {
  const lifted = verdict?.findings.filter((finding) => finding.isOverridden && finding.verdict !== "promote") ?? [];
  if (lifted.length === 0) return ", none of which stands against it";
  return `, which lifts: ${lifted.map(({ rule, text }) => `${rule} (${text})`).join(", ")}`;
}

/** How fast a breach would end at the exposure that this up declares. */
function inSight(service: ServiceConfig, { exposurePercent, figures = [] }: Declaration): Notice[] {
  if (exposurePercent === 0) return [];
  const { plan } = service;
  const text = describeDetections(service.objectives, service.source, { plan, exposurePercent, figures });
  return [
    {
      kind: "detection",
      severity: "info",
      text: `${service.name}: worst case from breach to less traffic at ${exposurePercent} %: ${text}`,
    },
  ];
}
