/**
 * What the AWS provider of a component signs in with. A provider keeps every input as an output of the same name, also those that its class
 * does not declare; a component without one of its own has its parent's, or the program's default one, which reads the `aws:` settings of the
 * stack. Whoever reads for the component must use the very same, or fail: so what cannot be followed is refused by name.
 */
import * as pulumi from "@pulumi/pulumi";
import { readSignIn, type SignIn } from "../core/sign-in.ts";

/** Any resource of the AWS provider will do to ask which one it would get. */
const anyAwsType = "aws:lb/listenerRule:ListenerRule";

type Settings = Readonly<Record<string, unknown>>;

/**
 * How the provider of a component's children signs in.
 * @param component constructed as far as `super(…)`
 * @param region in which the component says that it acts; the provider's must be the same
 * @returns settled once the provider's inputs are known, which in a preview may be never; keys in it are secrets
 * @throws pulumi.ResourceError where something in the provider cannot be followed: at once for the default provider; for an explicit one as
 *   soon as its inputs are known, which fails the program and rejects the answer
 */
export function signInOfProvider(component: pulumi.ComponentResource, region: string): Promise<SignIn> {
  const check = (settings: Settings, place: string): SignIn => {
    const { signIn, problems } = judge(settings, place, region);
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), component, true);
    return signIn;
  };
  const provider = component.getProvider(anyAwsType);
  if (!provider) return Promise.resolve(check(defaultSettings(), "the stack's aws settings"));

  const found = new Promise<SignIn>((resolve, reject) => {
    inputsOf(provider).apply((settings) => {
      try {
        resolve(check(settings, "the AWS provider of this component"));
      } catch (error) {
        reject(error);
        // Unhandled, it fails the program: a preview must not look as if an up would go.
        throw error;
      }
    });
  });
  // The guard awaits it only when it writes, and the program has failed by then.
  found.catch(() => {});
  return found;
}

function judge(
  settings: Settings,
  place: string,
  region: string,
): { readonly signIn: SignIn; readonly problems: readonly string[] } {
  const { signIn, problems } = readSignIn(settings, "taken");
  const texts = problems.map(
    ({ key, wrong, expected, wayOut }) => `${place}: ${keyText(key)}: ${wrong}; expected ${expected}. ${wayOut}`,
  );
  const { region: found } = settings;
  if (found !== region) {
    const got = typeof found === "string" ? found : "none";
    texts.push(
      `${place}: region: not the component's, got ${got}; expected ${region}. Give the provider, or the component, the other's region`,
    );
  }
  return { signIn, problems: texts };
}

function keyText(key: readonly (string | number)[]): string {
  return key.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** Inputs of an explicit provider, whatever class it is of. One that is only referred to has none, and so no region that fits. */
function inputsOf(provider: pulumi.ProviderResource): pulumi.Output<Settings> {
  const outputs = Object.entries(provider).filter(
    ([key, value]) => key !== "urn" && key !== "id" && pulumi.Output.isInstance(value),
  );
  return pulumi.output(Object.fromEntries(outputs)).apply((values): Settings => {
    const plain: Settings = values;
    return Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, parsed(value)]));
  });
}

/** The default provider: `aws:` settings, then variables of the environment. */
function defaultSettings(): Settings {
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(pulumi.runtime.allConfig())) {
    if (name.startsWith("aws:")) settings[name.slice("aws:".length)] = parsed(value);
  }
  settings.region ??= process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  return settings;
}

/** Lists and maps travel as JSON. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[{[]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
