/** Policies for the recording of previews: one that finds nothing, one that blocks, one that advises, one that meets a value unknown in previews. */
import { PolicyPack } from "@pulumi/policy";

const router = "tidegate:traffic:WaveRouter";
const rule = "aws:lb/listenerRule:ListenerRule";
const asks = process.env.TIDEGATE_PREVIEW_POLICIES ?? "quiet";

new PolicyPack("example", {
  policies: [
    {
      name: "finds-nothing",
      description: "Finds nothing.",
      enforcementLevel: "mandatory",
      validateResource: () => {},
    },
    {
      name: "blocks",
      description: "Blocks every router.",
      enforcementLevel: "mandatory",
      validateResource: ({ type }, report) => {
        if (asks === "loud" && type === router) report("checkout: weights are wrong, got 25; expected 20\nSet them.");
      },
    },
    {
      name: "advises",
      description: "Advises on every router.",
      enforcementLevel: "advisory",
      validateResource: ({ type }, report) => {
        if (asks === "loud" && type === router) report("checkout: a lower first wave is safer");
      },
    },
    {
      name: "meets-the-unknown",
      description: "Reads what no preview of a new rule knows.",
      enforcementLevel: "mandatory",
      validateResource: ({ type, props }, report) => {
        if (asks === "loud" && type === rule && String(props.listenerArn).length === 0) report("no listener");
      },
    },
  ],
});
