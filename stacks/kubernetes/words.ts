/** How failures of clusters, files and programs are told: in few words. */
import { messageOf, oneLine } from "../../core/error-message.ts";

/** The system's word for what went wrong, or the whole message. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : short(oneLine(messageOf(error)));
}

/** At most 200 characters of it. */
export function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
