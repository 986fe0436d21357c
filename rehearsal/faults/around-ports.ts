/** Every call of the ports in one place, so that tracing and spoiling them is one function each. */
import type { Instant } from "../../core/record.ts";
import type { Ports } from "../../hooks/ports.ts";

/** A method of a port that reaches something outside. */
export type PortCall =
  | "records.read"
  | "records.write"
  | "records.list"
  | "records.appendHistory"
  | "records.history"
  | "records.readHeartbeat"
  | "records.writeHeartbeat"
  | "records.writeSnapshot"
  | "records.readSnapshot"
  | "records.readDrill"
  | "records.writeDrill"
  | "traffic.readRules"
  | "traffic.writeRule"
  | "traffic.targetHealth"
  | "traffic.findMainRules"
  | "alarms.describe"
  | "alarms.values"
  | "alarms.setState"
  | "metrics.requestSums"
  | "metrics.statistics"
  | "pager.send";

/** Stands between a caller and a call; carries it out itself, or does not. */
export type Around = <Answer>(
  call: PortCall,
  args: readonly unknown[],
  carryOut: () => Promise<Answer>,
) => Promise<Answer>;

/** The ports with somebody in between. @param now the clock as this process has it; by default its own */
export function aroundPorts(ports: Ports, around: Around, now: () => Instant = ports.clock.now): Ports {
  const { records, traffic, alarms, metrics, pager } = ports;
  return {
    ...ports,
    clock: { ...ports.clock, now },
    records: {
      read: (service) => around("records.read", [service], () => records.read(service)),
      write: (record, expected) => around("records.write", [record, expected], () => records.write(record, expected)),
      list: () => around("records.list", [], () => records.list()),
      appendHistory: (service, entries) =>
        around("records.appendHistory", [service, entries], () => records.appendHistory(service, entries)),
      history: (service) => around("records.history", [service], () => records.history(service)),
      readHeartbeat: (service) => around("records.readHeartbeat", [service], () => records.readHeartbeat(service)),
      writeHeartbeat: (service, at) =>
        around("records.writeHeartbeat", [service, at], () => records.writeHeartbeat(service, at)),
      writeSnapshot: (snapshot) => around("records.writeSnapshot", [snapshot], () => records.writeSnapshot(snapshot)),
      readSnapshot: (service, id) =>
        around("records.readSnapshot", [service, id], () => records.readSnapshot(service, id)),
      readDrill: () => around("records.readDrill", [], () => records.readDrill()),
      writeDrill: (state) => around("records.writeDrill", [state], () => records.writeDrill(state)),
    },
    traffic: {
      readRules: (arns) => around("traffic.readRules", [arns], () => traffic.readRules(arns)),
      writeRule: (arn, action) => around("traffic.writeRule", [arn, action], () => traffic.writeRule(arn, action)),
      targetHealth: (arn) => around("traffic.targetHealth", [arn], () => traffic.targetHealth(arn)),
      findMainRules: (query) => around("traffic.findMainRules", [query], () => traffic.findMainRules(query)),
    },
    alarms: {
      describe: (names) => around("alarms.describe", [names], () => alarms.describe(names)),
      values: (names, range) => around("alarms.values", [names, range], () => alarms.values(names, range)),
      setState: (name, state, reason) =>
        around("alarms.setState", [name, state, reason], () => alarms.setState(name, state, reason)),
    },
    metrics: {
      requestSums: (queries, range) =>
        around("metrics.requestSums", [queries, range], () => metrics.requestSums(queries, range)),
      statistics: (queries, range) =>
        around("metrics.statistics", [queries, range], () => metrics.statistics(queries, range)),
    },
    pager: {
      send: (message, deliveredTo) =>
        around("pager.send", [message, deliveredTo], () => pager.send(message, deliveredTo)),
    },
  };
}
