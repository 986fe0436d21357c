/** What people and other systems have said of the wave about to open: signatures, results of checks, change freezes. Only a file is read. */
import { readFile, stat } from "node:fs/promises";
import { messageOf } from "../../core/error-message.ts";
import { readFreezes } from "../../core/freeze-calendar.ts";
import { rolesAsked } from "../../core/gate/approvals.ts";
import { readCheckResult } from "../../core/gate/check-result.ts";
import type { CheckResult, SoakEvidence } from "../../core/gate/evidence.ts";
import { nextWaveAbove } from "../../core/plans.ts";
import type { Instant, RolloutRecord } from "../../core/record.ts";
import type { CheckConfig, EnvironmentConfig, ServiceConfig } from "../config.ts";

/** A result is a summary; what is longer was not written by a check. Unit: bytes. */
const mostFileBytes = 5_000_000;

/** What the config asks of people before the next wave opens. Nothing of it is asked of a finish, which moves no traffic. */
export async function readSaid(
  { freezes }: Pick<EnvironmentConfig, "freezes">,
  service: ServiceConfig,
  record: RolloutRecord,
  now: Instant,
): Promise<Pick<SoakEvidence, "approvals" | "checks" | "freezes">> {
  return {
    ...approvalsAsked(service, record),
    ...(await checksAsked(service, record)),
    ...(freezes === undefined ? {} : { freezes: freezesAt(freezes, now) }),
  };
}

/** Those in force. The config's are without problems; whoever declares by hand may bring any. */
function freezesAt(windows: EnvironmentConfig["freezes"] & object, now: Instant): SoakEvidence["freezes"] & object {
  const read = readFreezes(windows, "freezes");
  if (read.problems.length > 0) return { unreadable: read.problems.join("; ") };
  return read.activeAt(new Date(now));
}

/** The wave that the service's canary would get next, and the release that would get it. */
function nextOf({ canary, plan }: ServiceConfig, record: RolloutRecord) {
  if (canary === undefined) return undefined;
  const have = record.canary?.digest === canary.digest ? record.canary.exposurePercent : 0;
  const wave = nextWaveAbove(plan, have);
  return wave && { canary, wavePercent: wave.exposurePercent };
}

export function approvalsAsked(service: ServiceConfig, record: RolloutRecord): Pick<SoakEvidence, "approvals"> {
  const next = nextOf(service, record);
  if (!next) return {};
  const { wavePercent, canary } = next;
  const isOn = record.canary?.digest === canary.digest;
  const roles = rolesAsked(service.plan, wavePercent, isOn ? record : undefined);
  if (roles.length === 0) return {};
  const given = service.approvals ?? [];
  return { approvals: { wavePercent, version: canary.version, attempt: service.attempt, roles, given } };
}

async function checksAsked(service: ServiceConfig, record: RolloutRecord): Promise<Pick<SoakEvidence, "checks">> {
  const next = nextOf(service, record);
  const asked = (service.checks ?? []).filter(({ wavePercents }) => next && wavePercents.includes(next.wavePercent));
  if (!next || asked.length === 0) return {};
  return { checks: { version: next.canary.version, asked, results: await Promise.all(asked.map(readResult)) } };
}

/** A check's result as its file has it now. */
export async function readResult({ name, file, path }: CheckConfig): Promise<CheckResult> {
  let text: string;
  try {
    const found = await stat(path);
    if (!found.isFile()) return { name, unreadable: `${file}: no file` };
    if (found.size > mostFileBytes) {
      return { name, unreadable: `${file}: more than ${mostFileBytes} bytes; expected a check's summary` };
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return { name, unreadable: code === "ENOENT" ? `${file}: there is no such file` : `${file}: ${messageOf(error)}` };
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { name, unreadable: `${file}: no JSON` };
  }
  const result = readCheckResult(name, raw);
  return "unreadable" in result ? { name, unreadable: `${file}: ${result.unreadable}` } : result;
}
