/**
 * Whether Kubernetes takes the objects of a release, by its own OpenAPI schemas (kubernetes-validate), in every version from the oldest that the
 * program accepts to the newest that the package has. TargetGroupBinding is no object of Kubernetes' own and is not among them.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { aWorkload, manifestsOf } from "../../components/a-kubernetes-release.ts";

const versions = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

interface Finding {
  readonly version: string;
  readonly kind: string;
  readonly path: string;
  readonly message: string;
}

function validate(objects: readonly object[], wanted: readonly string[] = versions): Promise<Finding[]> {
  const { TIDEGATE_PYTHON: python, TIDEGATE_KUBERNETES_SCHEMAS: schemas, PATH = "" } = process.env;
  if (!python || !schemas) {
    throw new Error(
      "TIDEGATE_KUBERNETES_SCHEMAS: not set; expected a folder with kubernetes-validate. Run npm run test:aws",
    );
  }
  const script = fileURLToPath(new URL("./validate.py", import.meta.url));
  return new Promise((answer, fail) => {
    const options = { env: { PATH, PYTHONPATH: schemas, PYTHONDONTWRITEBYTECODE: "1" }, maxBuffer: 10_000_000 };
    const child = execFile(python, [script], options, (error, stdout, stderr) => {
      if (error) fail(new Error(stderr || error.message, { cause: error }));
      else answer(JSON.parse(stdout));
    });
    child.stdin?.end(JSON.stringify({ versions: wanted, objects }));
  });
}

const ofKubernetes = async (...args: Parameters<typeof manifestsOf>) =>
  (await manifestsOf(...args)).filter(({ kind }) => kind !== "TargetGroupBinding");

/** A copy with one value replaced. */
function broken(
  objects: readonly object[],
  kind: string,
  path: readonly (string | number)[],
  value: unknown,
): object[] {
  const copy = structuredClone(objects) as Record<string, unknown>[];
  const root = copy.find((object) => object.kind === kind);
  if (!root) throw new Error(`no ${kind}`);
  const last = path.at(-1);
  let at: Record<string | number, unknown> = root;
  for (const part of path.slice(0, -1)) at = at[part] as Record<string | number, unknown>;
  if (last !== undefined) at[last] = value;
  return copy;
}

describe("Kubernetes' own schemas", { timeout: 180_000 }, () => {
  it("take every object of a release, in every version that is accepted [E6]", async () => {
    const plain = await ofKubernetes();
    const full = await ofKubernetes({
      workload: aWorkload({ serviceAccountName: "checkout", loadBalancerSecurityGroupId: "sg-0a1b2c3d" }),
      targetGroup: { port: 8443, protocol: "HTTPS", targetType: "ip", deregistrationDelaySeconds: 0 },
      minimumCount: 20,
    });
    expect(plain.map(({ kind }) => kind)).toEqual([
      "Deployment",
      "HorizontalPodAutoscaler",
      "PodDisruptionBudget",
      "Service",
    ]);
    expect(await validate([...plain, ...full])).toEqual([]);
  });

  it("refuse a field that no version knows, and values of another kind, so that taking one means something [E6]", async () => {
    const objects = await ofKubernetes();
    const container = ["spec", "template", "spec", "containers", 0] as const;
    const cases: [string, readonly (string | number)[], unknown][] = [
      ["Deployment", ["spec", "replica"], 3],
      ["Deployment", [...container, "lifecycle", "preStop", "sleep"], { second: 5 }],
      ["Deployment", [...container, "readinessProbe", "httpGet", "port"], true],
      ["HorizontalPodAutoscaler", ["spec", "maxReplicas"], "12"],
      ["PodDisruptionBudget", ["spec", "unhealthyPodEvictionPolicies"], "AlwaysAllow"],
      ["Service", ["spec", "ports", 0, "port"], "http"],
    ];
    for (const [kind, path, value] of cases) {
      const found = await validate(broken(objects, kind, path, value), ["1.37"]);
      expect([path.join("."), found.map((finding) => finding.kind)]).toEqual([path.join("."), [kind]]);
    }
  });

  it("know no sleep before the end where the program refuses the cluster [E6]", async () => {
    const found = await validate(await ofKubernetes(), ["1.28"]);
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "Deployment spec.template.spec.containers.0.lifecycle.preStop",
    ]);
  });
});
