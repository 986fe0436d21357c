/** Every cell: step by step, fault by fault; of two variants the worse one. */
import { orderProblems } from "./api-order.ts";
import { type Cell, CellRun } from "./cell.ts";
import { type FaultKind, faultKinds, variantsOf } from "./kinds.ts";
import { judge, type Outcome } from "./oracle.ts";
import { openingSteps, rollbackSteps, type Step } from "./steps.ts";

export interface MatrixRow {
  readonly of: Cell["of"];
  readonly step: Step | undefined;
  /** Absent: nothing went wrong. */
  readonly kind?: FaultKind;
  readonly variant?: string;
  readonly outcome: Outcome;
}

/** All rows' places, in the order of the docs. */
export function matrixCells(): { readonly of: Cell["of"]; readonly step: Step; readonly kind: FaultKind }[] {
  const of = (name: Cell["of"], steps: readonly Step[]) =>
    steps.flatMap((step) => faultKinds.map((kind) => ({ of: name, step, kind })));
  return [...of("opening", openingSteps), ...of("rollback", rollbackSteps)];
}

async function outcomeOf(cell: Cell): Promise<Outcome> {
  const seen = await new CellRun(cell).run();
  const outcome = judge(seen);
  return { ...outcome, broken: [...outcome.broken, ...orderProblems(seen.trace)] };
}

/** One row. */
export async function matrixRow(place: {
  readonly of: Cell["of"];
  readonly step: Step;
  readonly kind: FaultKind;
}): Promise<MatrixRow> {
  let worst: MatrixRow | undefined;
  for (const variant of variantsOf[place.kind] ?? [undefined]) {
    const cell = { ...place, ...(variant === undefined ? {} : { variant }) };
    const row = { ...cell, outcome: await outcomeOf(cell) };
    if (!worst || isWorse(row.outcome, worst.outcome)) worst = row;
  }
  if (!worst) throw new Error("a row has no variant");
  return worst;
}

/** The row of a run in which nothing goes wrong. */
export async function quietRow(of: Cell["of"]): Promise<MatrixRow> {
  const [step] = of === "opening" ? openingSteps : rollbackSteps;
  if (!step) throw new Error("the matrix has no steps");
  return { of, step: undefined, outcome: await outcomeOf({ of, step }) };
}

function isWorse(left: Outcome, right: Outcome): boolean {
  const rank = ({ broken, badSeconds, highestAfterPercent, byHand }: Outcome) => [
    broken.length,
    badSeconds,
    highestAfterPercent,
    byHand.length,
  ];
  const [a, b] = [rank(left), rank(right)];
  const place = a.findIndex((value, index) => value !== b[index]);
  return place >= 0 && (a[place] ?? 0) > (b[place] ?? 0);
}

/** The whole matrix, both quiet rows first. */
export async function computeMatrix(onRow: (row: MatrixRow) => void = () => {}): Promise<MatrixRow[]> {
  const rows: MatrixRow[] = [];
  const keep = (row: MatrixRow) => {
    rows.push(row);
    onRow(row);
  };
  for (const of of ["opening", "rollback"] as const) {
    keep(await quietRow(of));
    for (const place of matrixCells().filter((cell) => cell.of === of)) keep(await matrixRow(place));
  }
  return rows;
}
