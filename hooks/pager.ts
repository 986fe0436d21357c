/** One pager over several channels: every channel that has not had the page is tried, whatever the others did. */
import type { PageMessage } from "../core/page-message.ts";
import type { Delivery, Pager } from "./ports.ts";

/** One way to tell people. */
export interface PageChannel {
  /** Kept in the record with every page that it took; never rename one. */
  readonly name: string;
  /** Whether a page counts as said only when this channel has it. */
  readonly isRequired: boolean;
  /** @throws when it was not taken; the reason must carry no secret */
  send(message: PageMessage): Promise<void>;
}

/**
 * All channels as one pager.
 * @throws RangeError when no channel is required: then nothing would notice that nobody is told
 */
export function pagerOver(channels: readonly PageChannel[]): Pager {
  if (!channels.some((channel) => channel.isRequired)) {
    throw new RangeError(
      `pager: no required channel, got ${channels.map((channel) => channel.name).join(", ") || "none"}; expected at least one`,
    );
  }
  return {
    async send(message, deliveredTo): Promise<Delivery> {
      const open = channels.filter((channel) => !deliveredTo.includes(channel.name));
      const results = await Promise.allSettled(open.map(async (channel) => channel.send(message)));
      const delivered = [...deliveredTo];
      const failed: Delivery["failed"][number][] = [];
      results.forEach((result, index) => {
        const channel = open[index];
        if (!channel) return;
        if (result.status === "fulfilled") delivered.push(channel.name);
        else failed.push({ channel: channel.name, isRequired: channel.isRequired, error: result.reason });
      });
      return { deliveredTo: delivered, failed };
    },
  };
}
