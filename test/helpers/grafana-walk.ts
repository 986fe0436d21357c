/**
 * Walks everything that Grafana is given: every query of every panel, variable, annotation and rule, taken apart as far as it names metrics,
 * labels and dimensions. Prometheus' own grammar takes the expressions apart.
 */
import { parser } from "@prometheus-io/lezer-promql";

/** A metric that a Prometheus expression reads, with the labels that it picks by. */
export interface ReadSeries {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A metric of CloudWatch, as a panel or a variable asks for it. */
export interface ReadMetric {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: readonly string[];
}

/** Grafana's own variables, as Prometheus would get them. */
export function withVariables(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replace(/\$(\w+)/g, (whole, name: string) => values[name] ?? whole);
}

/**
 * Every series that an expression reads.
 * @throws Error where it is no PromQL, or uses a label in a grouping that no series has
 */
export function seriesOf(written: string): readonly ReadSeries[] {
  const known = taken.get(written);
  if (known) return known;
  const found = takeApart(written);
  taken.set(written, found);
  return found;
}

/** The same few hundred expressions are walked again and again. */
const taken = new Map<string, readonly ReadSeries[]>();

function takeApart(written: string): ReadSeries[] {
  const expression = withVariables(written, { __rate_interval: "1m" });
  const found: ReadSeries[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from} of ${expression}`);
      if (node.name !== "VectorSelector") return;
      const metric = node.node.getChild("Identifier");
      if (!metric) throw new Error(`a selector without a metric at ${node.from} of ${expression}`);
      const labels: Record<string, string> = {};
      const matchers = node.node.getChild("LabelMatchers");
      for (const matcher of matchers?.getChildren("UnquotedLabelMatcher") ?? []) {
        const name = matcher.getChild("LabelName");
        const value = matcher.getChild("StringLiteral");
        if (name && value) {
          labels[expression.slice(name.from, name.to)] = JSON.parse(expression.slice(value.from, value.to)) as string;
        }
      }
      found.push({ metric: expression.slice(metric.from, metric.to), labels });
    },
  });
  return found;
}

/** A panel of a dashboard's JSON, as far as the walk reads it. */
export interface WalkedPanel {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly repeat?: string;
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
  readonly targets?: readonly WalkedTarget[];
  readonly panels?: readonly WalkedPanel[];
}

export interface WalkedTarget {
  readonly refId?: string;
  readonly id?: string;
  readonly expr?: string;
  readonly expression?: string;
  readonly namespace?: string;
  readonly metricName?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly hide?: boolean;
}

export interface WalkedDashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly WalkedPanel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query?:
        | string
        | (Record<string, unknown> & { readonly namespace?: string; readonly metricName?: string });
    }[];
  };
  readonly annotations: {
    readonly list: readonly {
      readonly name: string;
      readonly expr?: string;
      readonly target?: Record<string, unknown>;
    }[];
  };
}

/** Panels that show something, those inside rows included. */
export function panelsOf(dashboard: WalkedDashboard): WalkedPanel[] {
  return dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter(({ type }) => type !== "row");
}

/** Names that a metric math expression reads: ids begin with a small letter, functions are all capitals. */
export function idsIn(expression: string): string[] {
  return [...new Set(expression.match(/\b[a-z][A-Za-z0-9_]*\b/g) ?? [])];
}

/** What the product and its sources really emit. */
export interface Emitted {
  /** Names in Prometheus, with the labels that their points carry. */
  readonly prometheus: ReadonlyMap<string, readonly string[]>;
  /** `<namespace>/<name>`, with the dimensions that their points have; several where a metric is emitted with several sets. */
  readonly cloudWatch: ReadonlyMap<string, readonly (readonly string[])[]>;
}

function metricProblem({ namespace, metricName, dimensions }: ReadMetric, { cloudWatch }: Emitted): string | undefined {
  const known = cloudWatch.get(`${namespace}/${metricName}`);
  if (!known) return `${namespace}/${metricName} is not emitted`;
  const asked = [...dimensions].sort().join(", ");
  return known.some((set) => [...set].sort().join(", ") === asked)
    ? undefined
    : `${namespace}/${metricName} has no points by ${asked}`;
}

/** Every reason why an expression would show nothing, or never speak. */
export function expressionProblems(expression: string, { prometheus }: Emitted): string[] {
  return seriesOf(expression).flatMap(({ metric, labels }) => {
    const known = prometheus.get(metric);
    if (!known) return [`${metric} is not emitted`];
    return Object.keys(labels)
      .filter((label) => !known.includes(label))
      .map((label) => `${metric} has no label ${label}`);
  });
}

function panelProblems(panel: WalkedPanel, emitted: Emitted): string[] {
  const targets = panel.targets ?? [];
  const ids = new Set(targets.flatMap(({ id }) => id ?? []));
  const shown = targets.filter(({ hide }) => hide !== true);
  const problems = targets.flatMap((target): string[] => {
    if (target.expr !== undefined) return expressionProblems(target.expr, emitted);
    if (target.expression !== undefined) {
      return idsIn(target.expression)
        .filter((id) => !ids.has(id))
        .map((id) => `${target.expression} reads ${id}, which the panel has not`);
    }
    const { namespace = "", metricName = "", dimensions = {} } = target;
    return flat(metricProblem({ namespace, metricName, dimensions: Object.keys(dimensions) }, emitted));
  });
  if (panel.type === "text") return problems;
  return [
    ...problems,
    ...(shown.length === 0 ? ["shows nothing"] : []),
    ...(panel.title && panel.description ? [] : ["has no title or no description"]),
    ...(panel.fieldConfig?.defaults?.unit ? [] : ["has no unit"]),
  ];
}

function flat(problem: string | string[] | undefined): string[] {
  return problem === undefined ? [] : [problem].flat();
}

/** Every reason why something in a dashboard would show nothing. */
export function dashboardProblems(dashboard: WalkedDashboard, emitted: Emitted): string[] {
  const ofPanels = panelsOf(dashboard).flatMap((panel) =>
    panelProblems(panel, emitted).map((problem) => `${dashboard.title}, ${panel.title}: ${problem}`),
  );
  const ofVariables = dashboard.templating.list.flatMap(({ name, query }) => {
    if (typeof query !== "object") return [];
    const { namespace = "", metricName = "", dimensionKey, dimensionFilters } = query;
    const asked = [String(dimensionKey), ...Object.keys((dimensionFilters ?? {}) as object)];
    const known = emitted.cloudWatch.get(`${namespace}/${metricName}`) ?? [];
    return known.some((set) => asked.every((dimension) => set.includes(dimension)))
      ? []
      : [`${dashboard.title}, variable ${name}: ${namespace}/${metricName} has no points by ${asked.join(", ")}`];
  });
  const ofAnnotations = dashboard.annotations.list.flatMap(({ name, expr }) =>
    flat(expr === undefined ? undefined : expressionProblems(expr, emitted)).map(
      (problem) => `${dashboard.title}, annotation ${name}: ${problem}`,
    ),
  );
  return [...ofPanels, ...ofVariables, ...ofAnnotations];
}
