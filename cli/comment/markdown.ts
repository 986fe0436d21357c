/**
 * Text into GitHub's Markdown so that it stays text. Release names, policy messages and whatever a cloud answered are written by others:
 * none of it may break a table, ping a team, link an issue or hide what comes after it.
 */
import { markdownTable } from "markdown-table";

/** Longest comment that GitHub takes. Unit: characters. Source: its own refusal "Body is too long (maximum is 65536 characters)", read 2026-11. */
export const mostCommentCharacters = 65_536;
/** A name or a message longer than this is cut: nobody reads it here, and one of them must not use up the comment. Unit: characters. */
const mostTextCharacters = 1_200;

/** Stands between a sign and what would make a mention or a link of it; takes no room. */
const nothing = "\u200b";

/** What Pulumi writes for a value that only the `up` will know. */
const unknownValue = /04da6b54-80e4-46f7-96ec-b56ff0331ba9/g;

/**
 * A bar begins a cell even where a backslash is before it, if before that there is another one; as a reference it never does. Not by its
 * number, which would look like an issue's.
 */
const bar = "&vert;";

/** Text of others in one line: no controls, no marks that turn the direction, no unknowns, not endless. */
export function oneLineOf(text: string): string {
  const line = cleaned(text).replace(/\s+/g, " ");
  return line.length <= mostTextCharacters ? line : `${line.slice(0, mostTextCharacters).trimEnd()} …`;
}

function cleaned(text: string): string {
  return text
    .replace(unknownValue, "known after up")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\p{Cf}/gu, "")
    .trim();
}

/** Text of others as prose; no mark-up in it takes effect. */
export function prose(text: string): string {
  return oneLineOf(text)
    .replace(/&/g, "&amp;")
    .replace(/[\\`*_{}[\]<>~]/g, "\\$&")
    .replaceAll("|", bar)
    .replace(/^([#>+-]|\d+[.)])/, "\\$1")
    .replace(/@/g, `@${nothing}`)
    .replace(/#(?=\d)/g, `#${nothing}`)
    .replace(/\bgh-(?=\d)/gi, (match) => `${match}${nothing}`)
    .replace(/:\/\//g, `:${nothing}//`)
    .replace(/\bwww\./gi, (match) => `${match.slice(0, 3)}${nothing}.`);
}

/** Text of others as code, for a cell of a table, too: names, versions, commands of one line. */
export function code(text: string): string {
  const line = oneLineOf(text) || " ";
  if (line.includes("|"))
    return `<code>${line.replace(/[^\p{L}\p{N} ]/gu, (sign) => `&#${sign.codePointAt(0)};`)}</code>`;
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const marks = "`".repeat(longest + 1);
  const room = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${marks}${room}${line}${room}${marks}`;
}

/** A block of commands; each line is one. */
export function commandBlock(lines: readonly string[]): string {
  // Never cut: half a command is another command.
  const text = lines.map((line) => cleaned(line)).join("\n");
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}sh\n${text}\n${fence}`;
}

/** A table; its cells are Markdown already, by `prose` and `code`, which leave no bar in them. */
export function table(rows: readonly (readonly string[])[], align?: readonly ("l" | "r")[]): string {
  return markdownTable(rows, {
    stringLength: (text) => [...text].length,
    ...(align ? { align: [...align] } : {}),
  });
}

/** A list; more than `most` entries are counted, not shown. */
export function list(entries: readonly string[], most = 40): string {
  const shown = entries.slice(0, most).map((entry) => `- ${entry}`);
  const left = entries.length - shown.length;
  return [...shown, ...(left > 0 ? [`- … and ${left} more`] : [])].join("\n");
}

/** Folded away until somebody wants it. @param summary words of ours, no Markdown */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A part of the comment that is left out whole or not at all, so that no table and no fold is torn. */
export interface Block {
  readonly text: string;
  /** The highest goes first where not everything fits; within one rank the last of them. 0 stays. */
  readonly rank: number;
}

/**
 * Blocks in their order, as many as fit.
 * @param note said at the end where something was left out
 */
export function joinFitting(blocks: readonly Block[], note: string, most = mostCommentCharacters): string {
  const joined = (parts: readonly string[]) => parts.join("\n\n");
  const whole = joined(blocks.map(({ text }) => text));
  if (whole.length <= most) return whole;
  const order = blocks
    .map(({ text, rank }, index) => ({ size: text.length + 2, rank, index }))
    .sort((left, right) => left.rank - right.rank || left.index - right.index);
  const kept = new Set<number>();
  let used = note.length;
  for (const { size, rank, index } of order) {
    if (used + size > most && rank > 0) break;
    kept.add(index);
    used += size;
  }
  return joined([...blocks.flatMap(({ text }, index) => (kept.has(index) ? [text] : [])), note]);
}
