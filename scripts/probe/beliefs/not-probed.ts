/** Beliefs that nothing here can look at, kept in the same list so that nobody takes them for seen. */
import type { Belief } from "../belief.ts";

export const webSockets: Belief = {
  id: "alb-websockets-stay",
  text: "A WebSocket that is open stays with its target whatever the weights become.",
  source: "ALB user guide (WebSockets are inherently sticky); that a change of weights leaves them is derived.",
  dependsOnIt: ["exposure 0 means new requests and not open connections"],
  procedure: { notProbed: "The probe's targets are Lambda functions, which take no WebSocket." },
};

export const dnsFailover: Belief = {
  id: "alb-dns-failover-takes-zone",
  text: "A DNS failover threshold on one group can take a whole zone away from every group of the load balancer.",
  source: "Derived from the ALB user guide, target group health.",
  dependsOnIt: ["Tidegate's own groups set no such threshold"],
  procedure: { notProbed: "It does not apply to Lambda targets, and would need hosts to fail in one zone alone." },
};

export const ownErrorsUnseen: Belief = {
  id: "alb-own-errors-have-no-group",
  text: "Errors that the load balancer makes for a bad canary show in no metric of its group.",
  source: "Derived: HTTPCode_ELB_5XX_Count is published with the load balancer's dimensions alone.",
  dependsOnIt: ["the edge alarm, which warns and lowers nothing"],
  procedure: { notProbed: "That something is never published cannot be seen in minutes." },
};
