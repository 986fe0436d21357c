/** What the previewed stack costs a month, before and after the up (D9): every resource in the preview, priced as `tidegate cost` does it. */
import { z } from "zod";
import { type CostedService, type DeclaredResource, dollarsOf, dollarsText, estimateCost } from "../../core/cost.ts";
import { pricesReadOn, pricesRegion } from "../../core/prices.ts";
import type { Fields, Preview, PreviewStep } from "../preview-json.ts";
import { type Block, code } from "./markdown.ts";
import { serviceType } from "./services.ts";

const facts = z.looseObject({
  service: z.string(),
  source: z.string(),
  plan: z.looseObject({
    waves: z.array(z.looseObject({ minimumSoakMinutes: z.number().nullable() })),
  }),
});

/** Resources of one side of the up: what there is, or what there will be. */
function sideOf(steps: readonly PreviewStep[], side: "before" | "after"): DeclaredResource[] {
  return steps.flatMap(({ op, type, name, oldInputs, newInputs }) => {
    const isThere = side === "before" ? op !== "create" && op !== "create-replacement" : !op.startsWith("delete");
    if (!isThere || op === "read") return [];
    // A resource that stays as it is may be told by its old inputs alone.
    const inputs: Fields = side === "before" || Object.keys(newInputs).length === 0 ? oldInputs : newInputs;
    return [{ type, name, inputs }];
  });
}

function servicesOf(resources: readonly DeclaredResource[]): CostedService[] {
  return resources.flatMap(({ type, inputs }) => {
    const read = type === serviceType ? facts.safeParse(inputs) : undefined;
    if (!read?.success) return [];
    const { service: name, source, plan } = read.data;
    return [{ name, source, plan }];
  });
}

/** One line about cost; nothing where the preview is not whole. */
export function renderCost(preview: Preview): Block {
  if (preview.result !== "succeeded") return { rank: 4, text: "" };
  const [before, after] = (["before", "after"] as const).map((side) => {
    const resources = sideOf(preview.steps, side);
    return estimateCost(resources, servicesOf(resources));
  });
  if (!before || !after || after.lines.length === 0) return { rank: 4, text: "" };
  const today = dollarsText(dollarsOf(before, "everything"));
  const then = dollarsText(dollarsOf(after, "everything"));
  const services = [...new Set(after.lines.flatMap(({ service }) => service ?? []))];
  const each = services.map((service) => `${code(service)} ${dollarsText(dollarsOf(after, { service }))}`);
  const unpriced = after.unpriced.map(({ type, count }) => `${count} x ${code(type)}`);
  return {
    rank: 4,
    text: [
      `**Cost:** about ${then} a month after this up${today === then ? ", as before" : `, ${today} before it`}`,
      each.length > 0 ? ` (${each.join(", ")})` : "",
      `; list prices of ${pricesRegion} of ${pricesReadOn}, made up of what \`npx tidegate cost\` shows.`,
      unpriced.length > 0 ? ` Not priced: ${unpriced.join(", ")}.` : "",
    ].join(""),
  };
}
