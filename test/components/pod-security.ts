/**
 * Pod Security "restricted", written from the Kubernetes documentation alone (Pod Security Standards: the controls of Baseline and of
 * Restricted, read 2026-11), for Linux pods. Shares no code with what it judges.
 */

type Json = Readonly<Record<string, unknown>>;

const map = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(map) : []);

const allowedVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
]);
const seLinuxTypes = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);

/** Names of the controls that a pod breaks, in the documentation's order. */
export function restrictedProblems(spec: unknown): string[] {
  const pod = map(spec);
  const ofPod = map(pod.securityContext);
  const containers = ["initContainers", "containers", "ephemeralContainers"].flatMap((key) => list(pod[key]));
  const contexts = containers.map((container) => map(container.securityContext));
  const all = [ofPod, ...contexts];
  const drops = (context: Json) => map(context.capabilities).drop;
  const adds = (context: Json) => map(context.capabilities).add;
  const controls: [string, boolean][] = [
    ["host process", all.some(({ windowsOptions }) => map(windowsOptions).hostProcess === true)],
    ["host namespaces", [pod.hostNetwork, pod.hostPID, pod.hostIPC].some((flag) => flag === true)],
    ["privileged containers", contexts.some(({ privileged }) => privileged === true)],
    [
      "capabilities",
      contexts.some((context) => {
        const dropped = drops(context);
        const added = adds(context);
        const dropsAll = Array.isArray(dropped) && dropped.includes("ALL");
        return !dropsAll || (Array.isArray(added) && added.some((name) => name !== "NET_BIND_SERVICE"));
      }),
    ],
    [
      "volume types",
      list(pod.volumes).some((volume) => Object.keys(volume).some((key) => key !== "name" && !allowedVolumes.has(key))),
    ],
    ["host ports", containers.some((container) => list(container.ports).some(({ hostPort }) => (hostPort ?? 0) !== 0))],
    [
      "host probes and hooks",
      containers.some((container) => {
        const { preStop, postStart } = map(container.lifecycle);
        const asking = [container.livenessProbe, container.readinessProbe, container.startupProbe, preStop, postStart];
        return asking.some((one) => [map(one).httpGet, map(one).tcpSocket].some((to) => (map(to).host ?? "") !== ""));
      }),
    ],
    [
      "apparmor",
      all.some(({ appArmorProfile }) => !["RuntimeDefault", "Localhost", undefined].includes(typeOf(appArmorProfile))),
    ],
    [
      "selinux",
      all.some(({ seLinuxOptions }) => {
        const { type, user, role } = map(seLinuxOptions);
        return !seLinuxTypes.has(String(type ?? "")) || [user, role].some((set) => (set ?? "") !== "");
      }),
    ],
    ["proc mount", contexts.some(({ procMount }) => procMount !== undefined && procMount !== "Default")],
    ["sysctls", list(ofPod.sysctls).some(({ name }) => !safeSysctls.has(String(name)))],
    ["privilege escalation", contexts.some(({ allowPrivilegeEscalation }) => allowPrivilegeEscalation !== false)],
    // A container's own word wins; where it says nothing the pod's must.
    ["running as non-root", contexts.some(({ runAsNonRoot }) => (runAsNonRoot ?? ofPod.runAsNonRoot) !== true)],
    ["running as non-root user", all.some(({ runAsUser }) => runAsUser === 0)],
    [
      "seccomp",
      contexts.some(({ seccompProfile }) => {
        const type = typeOf(seccompProfile) ?? typeOf(ofPod.seccompProfile);
        return type !== "RuntimeDefault" && type !== "Localhost";
      }) || typeOf(ofPod.seccompProfile) === "Unconfined",
    ],
  ];
  return controls.flatMap(([name, isBroken]) => (isBroken ? [name] : []));
}

function typeOf(profile: unknown): string | undefined {
  const { type } = map(profile);
  return type === undefined ? undefined : String(type);
}
