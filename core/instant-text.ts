/** An instant for people: ISO 8601, UTC. What others wrote may be none, and saying so must not throw. */
import type { Instant } from "./record.ts";

export function instantText(at: Instant): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "no instant" : date.toISOString();
}
