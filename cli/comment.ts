/**
 * `comment`: one Markdown comment for a pull request, from what `pulumi preview --json` wrote, the record, and a rehearsal.
 *
 * A comment is written whatever comes out, so that an older and greener one does not stay. Exit codes: 0 nothing speaks against the `up`;
 * 2 bad input, or a preview that cannot be read or is another's; 3 the `up` would be refused, or the preview failed.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BadInputError } from "../core/bad-input.ts";
import { messageOf } from "../core/error-message.ts";
import type { EnvironmentConfig } from "../stacks/config.ts";
import type { Surroundings } from "./command.ts";
import { checklistsFor } from "./comment/checklist.ts";
import { type Conclusion, conclude } from "./comment/conclusion.ts";
import { oneLineOf } from "./comment/markdown.ts";
import { type RecordReading, readRecords } from "./comment/record.ts";
import { mostRehearsed, type Rehearsed, type Rehearser, rehearser } from "./comment/rehearsal.ts";
import { renderComment, renderUnreadable, renderWithoutPreview } from "./comment/render.ts";
import { otherMessages, type PreviewedService, servicesIn } from "./comment/services.ts";
import { RefusedError } from "./failures.ts";
import { jsonText } from "./json.ts";
import type { Outside } from "./outside.ts";
import { readPlace } from "./place.ts";
import { type Preview, readPreview, UnreadablePreviewError } from "./preview-json.ts";
import { stackProblem } from "./stack-file.ts";

/** As typed. */
export interface CommentFlags {
  readonly stack?: string;
  readonly preview?: string;
  readonly policies?: string;
  readonly pulumiExit?: string;
  readonly expectNoChanges?: boolean;
  /** False where `--no-aws` was given. */
  readonly aws?: boolean;
  readonly profile?: string;
  readonly json?: boolean;
}

/** Parts that a test gives itself. */
export interface CommentParts {
  /** @default rehearses in this process */
  readonly rehearse?: Rehearser;
}

/** `--json`. Fields are never renamed or dropped, only added. */
interface CommentJson {
  readonly stack: string;
  readonly outcome: Conclusion["outcome"] | "not-previewed";
  readonly reasons: readonly string[];
  readonly services: readonly {
    readonly service: string;
    readonly isNews: boolean;
    readonly step: string | null;
    readonly fromPercent: number | null;
    readonly exposurePercent: number | null;
    readonly verdict: string;
  }[];
  readonly comment: string;
}

interface Checked {
  readonly stack: string;
  /** `undefined`: none was given. */
  readonly preview: { readonly text: string } | undefined;
  readonly packs: readonly string[];
  readonly pulumiExitCode: number | undefined;
}

/** Runs the command. @throws BadInputError, RefusedError after the comment was written */
export async function commentCommand(
  flags: CommentFlags,
  surroundings: Surroundings,
  parts: CommentParts = {},
): Promise<void> {
  const checked = readFlags(flags, surroundings.directory);
  const { stack } = checked;
  const outside = surroundings.outside ?? (await import("./aws-place.ts")).realOutside();
  const rehearse = parts.rehearse ?? rehearser(stack, surroundings.directory, outside.timers);
  const write = (comment: string, conclusion: Conclusion | undefined, services: readonly PreviewedService[] = []) =>
    surroundings.out(flags.json ? jsonText(commentJson(stack, comment, conclusion, services)) : comment);

  if (!checked.preview) {
    const rehearsed = await rehearseAll(await withCanary(stack, surroundings.directory), rehearse);
    return write(renderWithoutPreview(stack, [...rehearsed.values()]), undefined);
  }
  let preview: Preview;
  try {
    preview = readPreview(checked.preview.text);
  } catch (error) {
    if (!(error instanceof UnreadablePreviewError)) throw error;
    write(renderUnreadable(stack, error.message), { outcome: "unreadable", reasons: [error.message] });
    throw badInput([error.message]);
  }
  const { services, unreadable } = servicesIn(preview);
  const conclusion = conclude(preview, services, unreadable, {
    stack,
    packs: checked.packs,
    pulumiExitCode: checked.pulumiExitCode,
    noChanges: flags.expectNoChanges ?? false,
  });
  if (conclusion.outcome === "unreadable") {
    write(renderUnreadable(stack, conclusion.reasons.join("; ")), conclusion, services);
    throw badInput(conclusion.reasons);
  }
  const news = services.filter(({ isNews }) => isNews);
  const record = await recordsOf(news, flags, surroundings.directory, outside);
  const rehearsed = await rehearseAll(
    news.filter(({ canary, op }) => canary !== undefined && op !== "delete").map(({ service }) => service),
    rehearse,
  );
  const config = await configOf(stack, surroundings.directory);
  const checklists = checklistsFor(config, news, record, outside.timers.now());
  const others = otherMessages(preview, services);
  write(
    renderComment({ stack, conclusion, preview, services, otherMessages: others, record, rehearsed, checklists }),
    conclusion,
    services,
  );
  if (conclusion.outcome !== "goes-through")
    throw new RefusedError(
      `tidegate comment: the comment is written; ${conclusion.outcome}: ${conclusion.reasons.map(oneLineOf).join("; ")}`,
    );
}

function badInput(problems: readonly string[]): BadInputError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new BadInputError(`tidegate comment: ${count}:`, problems);
}

function readFlags(flags: CommentFlags, directory: string): Checked {
  const problems: string[] = [];
  const { stack } = flags;
  const problem =
    stack === undefined ? "--stack: missing; expected the stack that was previewed" : stackProblem(stack, directory);
  if (problem !== undefined) problems.push(problem);
  // It goes into an HTML comment, by which the workflow finds its own again.
  else if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack ?? ""))
    problems.push(
      `--stack: not a stack's name, got ${JSON.stringify(stack)}; expected letters, digits, points, hyphens, underscores`,
    );
  if (flags.preview === undefined && flags.aws !== false)
    problems.push(
      "--preview: missing; expected the file with what pulumi preview --json wrote, or - for standard input. Without one, --no-aws rehearses alone",
    );
  const pulumiExitCode = flags.pulumiExit === undefined ? undefined : Number(flags.pulumiExit);
  if (pulumiExitCode !== undefined && !/^\d{1,3}$/.test(flags.pulumiExit ?? ""))
    problems.push(`--pulumi-exit: not an exit code, got "${flags.pulumiExit}"; expected a whole number, 0 to 255`);
  const packs = (flags.policies ?? "").split(",").map((pack) => pack.trim());
  if (flags.policies !== undefined && packs.includes(""))
    problems.push(
      `--policies: an empty name among the packs, got "${flags.policies}"; expected names such as tidegate, with commas between`,
    );
  const preview = flags.preview === undefined ? undefined : readPreviewFile(flags.preview, directory, problems);
  if (problems.length > 0) throw badInput(problems);
  return { stack: stack ?? "", preview, packs: flags.policies === undefined ? [] : packs, pulumiExitCode };
}

function readPreviewFile(path: string, directory: string, problems: string[]): { readonly text: string } | undefined {
  try {
    // Descriptor 0 is standard input.
    return { text: readFileSync(path === "-" ? 0 : resolve(directory, path), "utf8") };
  } catch (error) {
    problems.push(
      `--preview: cannot be read, got "${path}" (${messageOf(error)}); expected a file, or - for standard input`,
    );
    return undefined;
  }
}

async function recordsOf(
  services: readonly PreviewedService[],
  flags: CommentFlags,
  directory: string,
  outside: Outside,
): Promise<RecordReading> {
  if (flags.aws === false) return { kind: "not-read", reason: "AWS was not asked (--no-aws)" };
  const problems: string[] = [];
  const place = await readPlace(
    { stack: flags.stack ?? "", ...(flags.profile === undefined ? {} : { profile: flags.profile }) },
    directory,
    outside,
    problems,
  );
  if (!place) return { kind: "not-read", reason: problems.join("; ") };
  return readRecords(
    outside,
    place,
    services.map(({ service }) => service),
  );
}

async function rehearseAll(services: readonly string[], rehearse: Rehearser): Promise<Map<string, Rehearsed>> {
  const rehearsed = new Map<string, Rehearsed>();
  for (const [index, service] of services.entries()) {
    const figures: Rehearsed =
      index < mostRehearsed
        ? await rehearse(service)
        : { kind: "not-rehearsed", service, reason: `only ${mostRehearsed} services are rehearsed for one comment` };
    rehearsed.set(service, figures);
  }
  return rehearsed;
}

/** `undefined`: the file has problems; the preview fails for them, and tells them. */
async function configOf(stack: string, directory: string): Promise<EnvironmentConfig | undefined> {
  const { readStack } = await import("./rehearse.ts");
  try {
    return readStack(stack, directory);
  } catch (error) {
    if (error instanceof BadInputError) return undefined;
    throw error;
  }
}

async function withCanary(stack: string, directory: string): Promise<string[]> {
  const { readStack } = await import("./rehearse.ts");
  return readStack(stack, directory)
    .services.filter(({ canary }) => canary !== undefined)
    .map(({ name }) => name);
}

function commentJson(
  stack: string,
  comment: string,
  conclusion: Conclusion | undefined,
  services: readonly PreviewedService[],
): CommentJson {
  return {
    stack,
    outcome: conclusion?.outcome ?? "not-previewed",
    reasons: conclusion?.reasons ?? [],
    services: services.map((service) => ({
      service: service.service,
      isNews: service.isNews,
      step: service.step ?? null,
      fromPercent: service.fromPercent ?? null,
      exposurePercent: service.exposurePercent ?? null,
      verdict: service.judgement.verdict,
    })),
    comment,
  };
}
