/**
 * A release on Kubernetes under mocks: every object whole, what comes after what, and what Pod Security "restricted" says of the pods. That
 * real schemas take the objects is `test/aws/kubernetes`; no cluster and no provider plugin has seen them.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KubernetesRelease } from "../../components/index.ts";
import { objectName } from "../../components/kubernetes/names.ts";
import { shutdownOf } from "../../components/kubernetes/shutdown.ts";
import { runPulumi } from "../helpers/pulumi-run.ts";
import { aWorkload, declareRelease, groupArn, manifestsOf, releaseArgs } from "./a-kubernetes-release.ts";
import { restrictedProblems } from "./pod-security.ts";

const name = "checkout-2-4-0-4d73b6aa";
const selector = { "app.kubernetes.io/name": "checkout", "app.kubernetes.io/instance": name };
const labels = {
  ...selector,
  "app.kubernetes.io/version": "2.4.0",
  "app.kubernetes.io/managed-by": "tidegate",
  "tidegate/environment": "dev",
  "tidegate/release": "2-4-0-1a2b3c4d",
};
const metadata = { name, namespace: "shop", labels };

interface Container {
  readonly env: { name: string; value: string }[];
  readonly readinessProbe: { httpGet: object };
  readonly lifecycle: { preStop: { sleep: { seconds: number } } };
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly serviceAccountName?: string;
  readonly containers: readonly [Container];
}
const podOf = (manifests: readonly Record<string, unknown>[]) => {
  const found = manifests.find(({ kind }) => kind === "Deployment") as
    | { spec: { template: { spec: Pod } } }
    | undefined;
  if (!found) throw new Error("no Deployment");
  return found.spec.template.spec;
};

describe("KubernetesRelease", () => {
  it("is five objects, whole, each named by its release [E6]", async () => {
    expect(await manifestsOf()).toEqual([
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata,
        spec: {
          replicas: 3,
          revisionHistoryLimit: 2,
          progressDeadlineSeconds: 362,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              terminationGracePeriodSeconds: 105,
              securityContext: {
                runAsNonRoot: true,
                runAsUser: 10_001,
                runAsGroup: 10_001,
                fsGroup: 10_001,
                seccompProfile: { type: "RuntimeDefault" },
              },
              topologySpreadConstraints: [
                {
                  maxSkew: 1,
                  topologyKey: "topology.kubernetes.io/zone",
                  whenUnsatisfiable: "ScheduleAnyway",
                  labelSelector: { matchLabels: selector },
                },
                {
                  maxSkew: 1,
                  topologyKey: "kubernetes.io/hostname",
                  whenUnsatisfiable: "ScheduleAnyway",
                  labelSelector: { matchLabels: selector },
                },
              ],
              containers: [
                {
                  name: "app",
                  image: `registry.example.com/checkout@sha256:${"b".repeat(64)}`,
                  imagePullPolicy: "IfNotPresent",
                  ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
                  env: [
                    { name: "LOG_LEVEL", value: "info" },
                    { name: "TIDEGATE_RELEASE", value: "2-4-0-1a2b3c4d" },
                  ],
                  resources: { requests: { cpu: "500m", memory: "512Mi" }, limits: { memory: "512Mi" } },
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    runAsNonRoot: true,
                    capabilities: { drop: ["ALL"] },
                  },
                  startupProbe: {
                    httpGet: { path: "/alive", port: "http", scheme: "HTTP" },
                    periodSeconds: 5,
                    timeoutSeconds: 5,
                    failureThreshold: 13,
                  },
                  readinessProbe: {
                    httpGet: { path: "/ready", port: "http", scheme: "HTTP" },
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 2,
                  },
                  livenessProbe: {
                    httpGet: { path: "/alive", port: "http", scheme: "HTTP" },
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                  },
                  lifecycle: { preStop: { sleep: { seconds: 75 } } },
                  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                },
              ],
              volumes: [{ name: "tmp", emptyDir: { sizeLimit: "1Gi" } }],
            },
          },
        },
      },
      {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata,
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
          minReplicas: 3,
          maxReplicas: 12,
          metrics: [
            {
              type: "Resource",
              resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
            },
          ],
          behavior: {
            scaleDown: {
              stabilizationWindowSeconds: 300,
              policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
            },
          },
        },
      },
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata,
        spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector: { matchLabels: selector } },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector,
          ports: [{ name: "http", port: 8080, targetPort: "http", protocol: "TCP" }],
        },
      },
      {
        apiVersion: "elbv2.k8s.aws/v1beta1",
        kind: "TargetGroupBinding",
        metadata,
        spec: { serviceRef: { name, port: 8080 }, targetGroupARN: groupArn, targetType: "ip" },
      },
    ]);
  });

  it("has its pods come last, after what gives them their readiness gate and after the anchor rule [E6]", async () => {
    const run = await declareRelease();
    expect(Object.fromEntries(run.resources.map(({ type, dependsOn }) => [type.split(":").at(-1), dependsOn]))).toEqual(
      {
        Anchor: [],
        KubernetesRelease: [],
        Service: [],
        PodDisruptionBudget: [],
        HorizontalPodAutoscaler: [],
        TargetGroupBinding: ["anchor", "checkout-2-4-0-1a2b3c4d-service"],
        Deployment: ["checkout-2-4-0-1a2b3c4d-binding"],
      },
    );
    const parents = run.resources.filter(({ type }) => type.startsWith("kubernetes:")).map(({ parent }) => parent);
    expect(new Set(parents)).toEqual(new Set(["tidegate:workload:KubernetesRelease checkout-2-4-0-1a2b3c4d"]));
  });

  it("leaves the number of pods to the autoscaler, and nothing else to anybody [B12]", async () => {
    const run = await declareRelease();
    const ignoring = run.resources.flatMap(({ type, ignoreChanges }) => ignoreChanges.map((path) => `${type} ${path}`));
    expect(ignoring).toEqual(["kubernetes:apps/v1:Deployment spec.replicas"]);
  });

  it("is born with what a rollback needs and never scaled below it, even above the config's most [B12]", async () => {
    const manifests = await manifestsOf({ minimumCount: 20 });
    const specOf = (wanted: string) => manifests.find(({ kind }) => kind === wanted)?.spec;
    expect(specOf("Deployment")).toMatchObject({ replicas: 20 });
    expect(specOf("HorizontalPodAutoscaler")).toMatchObject({ minReplicas: 20, maxReplicas: 20 });
  });

  it("touches nothing of another release, and shares no object with one [E6]", async () => {
    const old = await manifestsOf();
    const run = await runPulumi(() => {
      new KubernetesRelease("checkout-2-4-0-1a2b3c4d", releaseArgs());
      const release = { version: "2.5.0", image: `registry.example.com/checkout@sha256:${"c".repeat(64)}` };
      new KubernetesRelease(
        "checkout-2-5-0-99887766",
        releaseArgs({ release, releaseKey: "2-5-0-99887766", targetGroupArn: `${groupArn}2` }),
      );
    });
    const objects = run.resources.filter(({ type }) => type.startsWith("kubernetes:"));
    const ofOld = objects.filter(({ name: logical }) => logical.startsWith("checkout-2-4-0"));
    expect(ofOld.map(({ inputs }) => inputs)).toEqual(expect.arrayContaining(old));
    expect(objects.length).toBe(10);
    const ofNew = JSON.stringify(objects.filter((object) => !ofOld.includes(object)).map(({ inputs }) => inputs));
    expect(ofNew).not.toContain(name);
    expect(ofNew).not.toContain("2.4.0");
  });

  it("opens the pods to the load balancer where its security group is named, and asks as the group asks [E6]", async () => {
    const manifests = await manifestsOf({
      workload: aWorkload({ loadBalancerSecurityGroupId: "sg-0a1b2c3d", serviceAccountName: "checkout" }),
      targetGroup: { port: 8443, protocol: "HTTPS", targetType: "ip", deregistrationDelaySeconds: 60 },
    });
    expect(manifests.find(({ kind }) => kind === "TargetGroupBinding")?.spec).toMatchObject({
      networking: {
        ingress: [{ from: [{ securityGroup: { groupID: "sg-0a1b2c3d" } }], ports: [{ protocol: "TCP", port: 8443 }] }],
      },
    });
    const pod = podOf(manifests);
    expect(pod.serviceAccountName).toBe("checkout");
    expect(pod.containers[0].readinessProbe.httpGet).toEqual({ path: "/ready", port: "http", scheme: "HTTPS" });
  });

  it("sets the release's key itself, whatever the variables say [B3]", async () => {
    const workload = aWorkload({}, { variables: { TIDEGATE_RELEASE: "another", A: "1" } });
    expect(podOf(await manifestsOf({ workload })).containers[0].env).toEqual([
      { name: "TIDEGATE_RELEASE", value: "2-4-0-1a2b3c4d" },
      { name: "A", value: "1" },
    ]);
  });

  it("says what it declared, for the stack and for policies [E6]", async () => {
    const run = await declareRelease();
    expect(run.componentOutputs["checkout-2-4-0-1a2b3c4d"]).toEqual({
      service: "checkout",
      environment: "dev",
      releaseKey: "2-4-0-1a2b3c4d",
      namespace: "shop",
      objectName: name,
      minimumCount: 3,
    });
  });

  it("refuses everything that is wrong at once, and declares nothing [B11] [E6]", async () => {
    const broken = releaseArgs({
      release: { version: "2.4.0", image: "registry.example.com/checkout:2.4.0" },
      workload: aWorkload({ runAsUserId: 0 }, { stopSeconds: 60 }),
      targetGroup: { port: 8080, protocol: "HTTP", targetType: "instance", deregistrationDelaySeconds: 60 },
      minimumCount: 0,
    });
    const seen: string[] = [];
    const run = runPulumi(() => new KubernetesRelease("checkout-2-4-0-1a2b3c4d", broken).deployment.id, {
      fail: ({ type }) => {
        seen.push(type);
        return undefined;
      },
    });
    await expect(run).rejects.toThrow(
      [
        "checkout-2-4-0-1a2b3c4d: cannot be declared:",
        "  release.image: image without a digest, got registry.example.com/checkout:2.4.0; expected <repository>@sha256:<64 hex>. A tag can be moved to other bytes; ask the registry for the digest behind it",
        "  workload.shape.stopSeconds: not longer than the target group's deregistration, got 60; expected more than 60. Requests under way would be cut off; raise it, or lower deregistrationDelaySeconds",
        "  targetGroup.targetType: pods are registered by their addresses, got instance; expected ip. Leave it out",
        "  minimumCount: nobody would serve, got 0; expected a whole number of at least 1. Raise it",
        `  workload.runAsUserId: no user that Pod Security "restricted" lets run, got 0; expected a whole number of at least 1. Take the image's own user, as a number`,
      ].join("\n"),
    );
    expect(seen.filter((type) => type.startsWith("kubernetes:"))).toEqual([]);
  });

  it("refuses a release that is no image [E6]", async () => {
    await expect(declareRelease({ release: { version: "2.4.0" } })).rejects.toThrow(
      "release.image: image without a digest, got nothing; expected <repository>@sha256:<64 hex>.",
    );
  });
});

describe("a pod's end", () => {
  it("outlasts deregistration by what the process is given, whatever the figures [E6]", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_600 }), fc.integer({ min: 1, max: 3_600 }), (delay, more) => {
        const { sleepSeconds, gracePeriodSeconds } = shutdownOf(delay + more, delay);
        // The load balancer may still send requests until the delay is over, and learns of the end some seconds late.
        expect(sleepSeconds).toBeGreaterThan(delay);
        expect(gracePeriodSeconds - sleepSeconds).toBe(more);
      }),
    );
  });
});

describe("names of objects", () => {
  const slug = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,9}){0,2}$/);
  const place = fc.record({
    environment: slug,
    service: slug,
    releaseKey: fc
      .tuple(slug, fc.stringMatching(/^[0-9a-f]{8}$/), fc.constantFrom("", "-control"))
      .map(([version, hash, end]) => `${version}-${hash}${end}`),
  });

  it("are names of a Service, and leave room for a pod's own [E6]", () => {
    fc.assert(
      fc.property(place, (given) => {
        expect(objectName(given)).toMatch(/^[a-z]([a-z0-9-]*[a-z0-9])?$/);
        expect(objectName(given).length).toBeLessThanOrEqual(46);
      }),
    );
  });

  it("tell environments, services, releases and a control apart [E6]", () => {
    const given = { environment: "dev", service: "checkout", releaseKey: "2-4-0-1a2b3c4d" };
    expect([
      objectName(given),
      objectName({ ...given, environment: "staging" }),
      objectName({ ...given, service: "checkout-2" }),
      objectName({ ...given, releaseKey: "2-4-0-1a2b3c4d-control" }),
      objectName({ ...given, service: "a".repeat(32), releaseKey: "a-very-long-version-name-1a2b3c4d" }),
    ]).toEqual([
      name,
      "checkout-2-4-0-d2f023c9",
      "checkout-2-2-4-0-e2629eed",
      "checkout-2-4-0-control-6dd8a0fa",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a-ve-1dbf2ead",
    ]);
  });

  it("make a version a label's value, whatever it has in it [E6]", async () => {
    const release = { ...releaseArgs().release, version: `2.4.0+${"x".repeat(57)}_` };
    const [first] = (await manifestsOf({ release })) as [{ metadata: { labels: Record<string, string> } }];
    expect(first.metadata.labels["app.kubernetes.io/version"]).toBe(`2.4.0-${"x".repeat(57)}`);
  });
});

describe(`Pod Security "restricted"`, () => {
  it("lets the pods in [E6]", async () => {
    expect(restrictedProblems(podOf(await manifestsOf()))).toEqual([]);
  });

  it("is what is judged: each control that is broken is named [E6]", async () => {
    const pod = podOf(await manifestsOf()) as unknown as Record<string, unknown>;
    const [container] = pod.containers as [Record<string, unknown>];
    const context = container.securityContext as Record<string, unknown>;
    const withContext = (changes: object) => ({
      ...pod,
      containers: [{ ...container, securityContext: { ...context, ...changes } }],
    });
    const podContext = pod.securityContext as Record<string, unknown>;
    const { seccompProfile: _, ...noSeccomp } = podContext;
    const cases: [string, object][] = [
      ["host process", withContext({ windowsOptions: { hostProcess: true } })],
      ["host namespaces", { ...pod, hostNetwork: true }],
      ["privileged containers", withContext({ privileged: true })],
      ["capabilities", withContext({ capabilities: { drop: ["NET_RAW"] } })],
      ["capabilities", withContext({ capabilities: { drop: ["ALL"], add: ["SYS_TIME"] } })],
      ["volume types", { ...pod, volumes: [{ name: "tmp", hostPath: { path: "/tmp" } }] }],
      ["host ports", { ...pod, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] }],
      [
        "host probes and hooks",
        { ...pod, containers: [{ ...container, livenessProbe: { httpGet: { host: "10.0.0.1" } } }] },
      ],
      ["privilege escalation", withContext({ allowPrivilegeEscalation: true })],
      ["running as non-root", { ...withContext({ runAsNonRoot: false }) }],
      ["running as non-root user", { ...pod, securityContext: { ...podContext, runAsUser: 0 } }],
      ["seccomp", { ...pod, securityContext: noSeccomp }],
      ["seccomp", withContext({ seccompProfile: { type: "Unconfined" } })],
      ["sysctls", { ...pod, securityContext: { ...podContext, sysctls: [{ name: "kernel.msgmax", value: "1" }] } }],
      ["proc mount", withContext({ procMount: "Unmasked" })],
      ["apparmor", withContext({ appArmorProfile: { type: "Unconfined" } })],
      ["selinux", withContext({ seLinuxOptions: { type: "spc_t" } })],
    ];
    for (const [control, broken] of cases) expect([control, restrictedProblems(broken)]).toEqual([control, [control]]);
  });
});
