/** Prints the peers' part of docs/benchmarks.md: `npm run bench -- peers`. */
import { markdownTable } from "markdown-table";
import { shareOf, shareText } from "../calibration/wilson.ts";
import { type Curve, curvesOf, placeAt } from "./curve.ts";
import { peerRules, tidegate } from "./rules.ts";
import type { PointSource } from "./trace.ts";

/** What is drawn for the page. */
export const peerRuns = {
  canaryRatesPerSecond: [5, 25, 100],
  healthyCount: 1_000,
  incidentCount: 200,
  addedFractions: [0.02, 0.05, 0.2, 0.5],
} as const;

/** Shares of healthy days that may be ended, at which the curves are read. Unit: fraction. */
const allowedFractions = [0, 0.01];

const everyTool = (["alb", "emf"] as const).flatMap((points) =>
  [tidegate, ...peerRules].map((rule) => ({ rule, points })),
);
const sourceWords: Readonly<Record<PointSource, string>> = {
  alb: "the load balancer's minutes, two minutes late",
  emf: "points of 10 s, 10 s late",
};

/** Prints everything. */
export function printPeers(): void {
  const headers = peerRuns.addedFractions.map((fraction) => `+${100 * fraction} %`);
  for (const canaryRatePerSecond of peerRuns.canaryRatesPerSecond) {
    const curves = curvesOf(everyTool, { ...peerRuns, canaryRatePerSecond });
    for (const points of ["alb", "emf"] as const) {
      const here = curves.filter((curve) => curve.points === points);
      console.log(`### A canary of ${canaryRatePerSecond} requests/s, ${sourceWords[points]}\n`);
      console.log(markdownTable([["tool", "threshold", "healthy days ended", ...headers], ...here.flatMap(rowsOf)]));
      console.log("");
    }
    console.log(`### What must hold, a canary of ${canaryRatePerSecond} requests/s\n`);
    console.log(markdownTable([["bound", "read where", ...headers, ""], ...verdicts(curves)]));
    console.log("");
  }
}

function rowsOf(curve: Curve): string[][] {
  const documented = curve.thresholds.indexOf(curve.rule.documented);
  const read = allowedFractions.map((fraction) => ({
    as: fraction === 0 ? "none" : `at most ${100 * fraction} %`,
    place: placeAt(curve, fraction * curve.healthyCount),
  }));
  return [{ as: "documented", place: documented }, ...read].map(({ as, place }) =>
    place === undefined
      ? [`${curve.rule.name}, ${as}`, "–", "more, at any threshold", ...peerRuns.addedFractions.map(() => "–")]
      : [
          `${curve.rule.name}, ${as}`,
          thresholdText(curve, place),
          shareText(shareOf(curve.falseRollbacks[place] ?? 0, curve.healthyCount)),
          ...curve.badRequests.map((byThreshold) => count(byThreshold[place])),
        ],
  );
}

function thresholdText({ rule, thresholds }: Curve, place: number): string {
  const threshold = thresholds[place] ?? Number.NaN;
  return rule.unit === "percent" ? `${threshold} %` : `≥ ${threshold + 0.5}`;
}

function count(requests: number | undefined): string {
  return requests === undefined ? "–" : requests.toFixed(requests < 100 ? 1 : 0);
}

/** At which point of their curves tools are held against each other. */
export interface Reading {
  readonly words: string;
  /** How many healthy days either may end. */
  readonly mostFalse: number;
  /** Where ours is read: its lowest threshold that keeps this, or the documented one. */
  readonly ours: "documented" | "lowest";
}

export interface Comparison {
  /** Bad requests of ours by those of the best peer, by size of the incident; above 1 the peer is better. */
  readonly ratios: readonly number[];
  /** The best peer of each. */
  readonly best: readonly string[];
}

/** Ours beside every peer at the threshold, of its whole curve, that ends no more healthy days than allowed and notices first. */
export function compare(
  curves: readonly Curve[],
  oursOn: PointSource,
  peersOn: PointSource,
  { mostFalse, ours }: Reading,
): Comparison {
  const own = curves.find(({ rule, points }) => rule === tidegate && points === oursOn);
  if (!own) throw new Error("curves: ours is missing; expected it among them");
  const ownPlace =
    ours === "documented" ? own.thresholds.indexOf(own.rule.documented) : (placeAt(own, mostFalse) ?? -1);
  const bestOf = own.badRequests.map((_, size) => {
    const peers = curves.flatMap((curve) => {
      const place = curve.rule === tidegate || curve.points !== peersOn ? undefined : placeAt(curve, mostFalse);
      const bad = place === undefined ? undefined : curve.badRequests[size]?.[place];
      return bad === undefined ? [] : [{ bad, name: curve.rule.name }];
    });
    return peers.sort((left, right) => left.bad - right.bad)[0] ?? { bad: Number.POSITIVE_INFINITY, name: "none" };
  });
  return {
    ratios: own.badRequests.map((bad, size) => (bad[ownPlace] ?? Number.NaN) / (bestOf[size]?.bad ?? Number.NaN)),
    best: bestOf.map(({ name }) => name),
  };
}

/** The readings of the page: as ours is documented, and at the same share of healthy days ended. */
export function readingsOf(curves: readonly Curve[], oursOn: PointSource): Reading[] {
  const own = curves.find(({ rule, points }) => rule === tidegate && points === oursOn);
  const documented = own?.falseRollbacks[own.thresholds.indexOf(own.rule.documented)] ?? 0;
  const healthyCount = own?.healthyCount ?? 0;
  return [
    { words: "ours as documented, peers as rarely wrong", mostFalse: documented, ours: "documented" },
    ...[0, 0.01].map(
      (fraction): Reading => ({
        words: fraction === 0 ? "no healthy day ended by either" : `at most ${100 * fraction} % ended by each`,
        mostFalse: fraction * healthyCount,
        ours: "lowest",
      }),
    ),
  ];
}

function verdicts(curves: readonly Curve[]): string[][] {
  const rows = (oursOn: PointSource, peersOn: PointSource, most: number, what: string) =>
    readingsOf(curves, oursOn).map((reading) => {
      const { ratios, best } = compare(curves, oursOn, peersOn, reading);
      const kept = ratios.filter((ratio) => Number(ratio.toFixed(2)) <= most).length;
      return [
        what,
        reading.words,
        ...ratios.map((ratio, size) => `${ratio.toFixed(2)} × (${initials(best[size] ?? "")})`),
        kept === ratios.length ? "holds" : kept === 0 ? "does not hold" : `holds for ${kept} of ${ratios.length}`,
      ];
    });
  return [
    ...rows("alb", "alb", 1, "both on minutes: 1 ×"),
    ...rows("emf", "emf", 1, "both on 10 s: 1 ×"),
    ...rows("emf", "alb", 0.25, "ours on 10 s, peers on minutes: 0.25 ×"),
  ];
}

/** `Argo Rollouts, …`: the tool alone. */
function initials(name: string): string {
  return name.split(",")[0]?.split(" ")[0] ?? name;
}
