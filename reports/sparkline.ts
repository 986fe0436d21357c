/** A line of eight heights, where no picture can be. */

const heights = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
/** As many as stand in one line of a phone. */
const mostPoints = 31;

/** What is left of a budget over time, whole at the top, spent at the bottom; empty where there is nothing to show. */
export function sparkline(points: readonly { readonly leftFraction: number }[]): string {
  if (points.length < 2) return "";
  const step = Math.max(1, points.length / mostPoints);
  const shown = Array.from({ length: Math.min(points.length, mostPoints) }, (_, index) => {
    // The last is the one that matters, so it is always among them.
    const at = points.length - 1 - Math.floor((Math.min(points.length, mostPoints) - 1 - index) * step);
    return points[Math.max(0, at)]?.leftFraction ?? 0;
  });
  return shown
    .map((left) => heights[Math.min(heights.length - 1, Math.max(0, Math.floor(left * heights.length)))] ?? heights[0])
    .join("");
}
