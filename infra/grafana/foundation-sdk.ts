/** Grafana's Foundation SDK, loaded where there is a Grafana alone: a quarter of a second that no other preview shall wait for. */
import { createRequire } from "node:module";
import type * as cloudwatch from "@grafana/grafana-foundation-sdk/cloudwatch";
import type * as common from "@grafana/grafana-foundation-sdk/common";
import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import type * as text from "@grafana/grafana-foundation-sdk/text";
import type * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

const load = createRequire(import.meta.url);

export interface FoundationSdk {
  readonly cloudwatch: typeof cloudwatch;
  readonly common: typeof common;
  readonly dashboard: typeof dashboard;
  readonly prometheus: typeof prometheus;
  readonly text: typeof text;
  readonly timeseries: typeof timeseries;
}

/** The parts in use. */
export function foundationSdk(): FoundationSdk {
  const part = (name: keyof FoundationSdk) => load(`@grafana/grafana-foundation-sdk/${name}`);
  return {
    cloudwatch: part("cloudwatch"),
    common: part("common"),
    dashboard: part("dashboard"),
    prometheus: part("prometheus"),
    text: part("text"),
    timeseries: part("timeseries"),
  };
}
