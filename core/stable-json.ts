/** JSON whose bytes depend on the content alone: a resource input must not differ because an object was built in another order. */

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** JSON with the keys of every object ascending by code unit; `undefined` left out. Lists keep their order. */
export function stableJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}
