/** AWS's query protocol, read back: `Actions.member.1.Type=forward` as `{Actions: [{Type: "forward"}]}`; every value is a text. */

type Tree = { [key: string]: string | Tree };

export function nested(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  const tree: Tree = {};
  for (const [path, value] of Object.entries(fields)) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let at = tree;
    for (const key of keys) {
      const below = at[key];
      const next: Tree = typeof below === "object" ? below : {};
      at[key] = next;
      at = next;
    }
    at[last] = value;
  }
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, folded(value)]));
}

/** Lists come as `member`, maps as `entry` of names and values. */
function folded(node: string | Tree): unknown {
  if (typeof node === "string") return node;
  const { member, entry, ...rest } = node;
  if (typeof member === "object") return Object.values(member).map(folded);
  if (typeof entry === "object") {
    return Object.fromEntries(
      Object.values(entry).flatMap((pair) =>
        typeof pair === "object" ? [[String(pair.Name ?? pair.key), folded(pair.Value ?? pair.value ?? "")]] : [],
      ),
    );
  }
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, folded(value)]));
}
