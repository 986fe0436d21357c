/** Our program as `stacks/index.ts` has it: config, both phases and every resource; in place of AWS a reality in which nothing is there. */
import "../../core/stack-traces.ts";
import * as pulumi from "@pulumi/pulumi";
import type { GuardBinding } from "../../components/write-guard.ts";
import { readStackConfig } from "../../stacks/config.ts";
import { decideEnvironment, surveyEnvironment } from "../../stacks/decide.ts";
import { program } from "../../stacks/program.ts";
import { project } from "./mocks.ts";
import { nothingReal, nothingToSurvey, settingsOf } from "./stack.ts";

const guards: GuardBinding = { guardFor: () => async () => {}, bind: () => undefined };
const stackId = `${project.organization}/${project.name}/${project.stack}`;

/** @param count services */
export function ours(count: number): () => Promise<unknown> {
  return async () => {
    pulumi.runtime.setAllConfig(settingsOf(count));
    const config = readStackConfig();
    const adopted = await surveyEnvironment(config, { survey: nothingToSurvey }, nothingReal);
    return program({
      config,
      decide: (wanted) => decideEnvironment(wanted, nothingReal, adopted),
      survey: adopted.found,
      guards,
      hookBundleFolder: "hooks",
      watchmanBundleFolder: "hooks",
      stackId,
      accountId: "123456789012",
      isPreview: false,
      log: { info() {}, warn() {} },
    });
  };
}
