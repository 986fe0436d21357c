/** A value in a message, whatever it is: short, and never an error of its own. */
export function shown(value: unknown): string {
  try {
    const text = typeof value === "string" ? JSON.stringify(value) : String(value);
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  } catch {
    return `a ${typeof value}`;
  }
}
