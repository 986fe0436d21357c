// aws:lambda/invocation:Invocation, run in place: STAND_IN_LAMBDA_MODULE names a module that exports `invoke(input)`.
import { pathToFileURL } from "node:url";

let loading;
async function handler(file) {
  // The handler under test is TypeScript as often as not, and this process was started without a loader.
  if (/\.[cm]?ts$/.test(file)) (await import("tsx/esm/api")).register();
  const { invoke } = await import(pathToFileURL(file).href);
  if (typeof invoke !== "function") throw new Error(`${file} does not export a function named invoke`);
  return invoke;
}

/** In the CRUD scope the provider tells the function what is happening, under a key of its own (documented; the name can be changed). */
function payload(action, inputs, previous) {
  const input = JSON.parse(inputs.input);
  if (inputs.lifecycleScope !== "CRUD") return input;
  return {
    ...input,
    [inputs.terraformKey ?? "tf"]: { action, prev_input: previous ? JSON.parse(previous.input) : null },
  };
}

export async function invokeLambda(action, inputs, previous) {
  const file = process.env.STAND_IN_LAMBDA_MODULE;
  if (!file) return { result: "{}" };
  // A function that was only ever called on creation has nothing to be told about its deletion.
  if (action === "delete" && inputs.lifecycleScope !== "CRUD") return {};
  loading ??= handler(file);
  const answer = await (await loading)(payload(action, inputs, previous));
  return { result: JSON.stringify(answer ?? null) };
}
