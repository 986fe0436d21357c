/**
 * A stack file that `--force` replaces: what it has beside Tidegate's own keys stays. Pulumi keeps the key of the stack's secrets there,
 * and without it no secret of the stack can be read again.
 */
import { isMap, isScalar, parseDocument, stringify, type YAMLMap } from "yaml";

export interface CarriedOver {
  readonly text: string;
  /** Paths of Tidegate's keys that the old file has and the new one has not. */
  readonly dropped: readonly string[];
}

/** The new file with everything of the old one that is not Tidegate's; `undefined`: the old one is no YAML. */
export function carryOver(text: string, before: string): CarriedOver | undefined {
  const [old, next] = [parseDocument(before, { logLevel: "silent" }), parseDocument(text)];
  if (old.errors.length > 0) return undefined;
  const [oldTop, nextTop] = [isMap(old.contents) ? old.contents : undefined, next.contents];
  if (!oldTop || !isMap(nextTop)) return { text, dropped: [] };
  const [oldConfig, nextConfig] = [oldTop.get("config"), nextTop.get("config")];
  const config = isMap(oldConfig) ? pairs(oldConfig) : [];
  const kept = new Set(isMap(nextConfig) ? pairs(nextConfig).map(([key]) => key) : []);
  const ofOthers = config.filter(([key]) => !key.startsWith("tidegate:") && !kept.has(key));
  const top = pairs(oldTop).filter(([key]) => key !== "config");
  const values = old.toJS({ maxAliasCount: 100 });
  const lines = (names: readonly string[], from: Record<string, unknown>) =>
    names.length === 0 ? "" : stringify(Object.fromEntries(names.map((name) => [name, from[name]])), { lineWidth: 0 });
  const added = lines(
    ofOthers.map(([key]) => key),
    Object(values.config),
  ).replace(/^(?=.)/gm, "  ");
  return {
    text: `${text.replace(/^( {2}aws:region: .*\n)/m, (line) => line + added)}${lines(
      top.map(([key]) => key),
      values,
    )}`,
    dropped:
      isMap(oldConfig) && isMap(nextConfig)
        ? missing(oldConfig, nextConfig).filter((key) => /^tidegate:/.test(key))
        : [],
  };
}

function pairs(map: YAMLMap): [string, unknown][] {
  return map.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), value]);
}

/** Keys of the one map that the other has not, down to where one of them ends; a list is one value. */
function missing(before: YAMLMap, after: YAMLMap): string[] {
  const values = new Map(pairs(after));
  return pairs(before).flatMap(([key, value]) => {
    if (!values.has(key)) return [key];
    const other = values.get(key);
    return isMap(value) && isMap(other) ? missing(value, other).map((path) => `${key}.${path}`) : [];
  });
}
