/**
 * The `aws:` settings of a stack: where it acts, and how it gets in. Pulumi's own provider reads the very same settings, so whatever the
 * SDK could not follow is refused by name: records, rules and guard must be looked at with what the provider writes with.
 */
import { readSignIn, type SignIn } from "../../core/sign-in.ts";
import { region } from "./environment.ts";
import { check, isMap, type Problems } from "./problems.ts";

/** Reads region and sign-in. Keys are refused: a stack's file is no place for them. */
export function readAws(raw: unknown, problems: Problems): { readonly region?: string; readonly access: SignIn } {
  const settings = isMap(raw) ? raw : {};
  const { signIn, problems: wrong } = readSignIn(settings, "refused");
  for (const { key, ...complaint } of wrong) problems.add([`aws:${key[0]}`, ...key.slice(1)], complaint);
  const found = check(region, settings.region, ["aws:region"], problems);
  return { access: signIn, ...(found === undefined ? {} : { region: found }) };
}
