/** A critical page as people get it, one part overridden at a time. */
import type { PageMessage } from "../../../core/page-message.ts";
import type { Page } from "../../../core/record.ts";

const at = Date.UTC(2026, 0, 5, 3, 0, 0);

/** `page` overrides the page, `overrides` what is around it. */
export function aPageMessage(
  page: Partial<Page> = {},
  overrides: Partial<Omit<PageMessage, "page">> = {},
): PageMessage {
  return {
    page: {
      id: "page-1",
      dedupKey: "tidegate/production/checkout/sha256:bbbb/2",
      severity: "critical",
      summary: "2.4.0 rolled back from 25 % to 0 %",
      detail: "error rate 4.2 %, above 2 %",
      at,
      runbook: "high-error-rate",
      holdId: "hold-1",
      ...page,
    },
    environment: "production",
    service: "checkout",
    region: "eu-west-1",
    links: [
      { label: "runbook", target: "https://example.com/runbooks/high-error-rate.md" },
      { label: "dashboard", target: "https://example.com/d/1" },
    ],
    commands: [
      { label: "where it stands", command: "npx tidegate status --service checkout" },
      { label: "all traffic off the canary", command: 'npx tidegate kill --service checkout --reason "..."' },
    ],
    ...overrides,
  };
}
