/** The list that the bare program declares: what ours registers for as many services, captured by the rehearsal. `<services> <file>`. */
import { writeFileSync } from "node:fs";
import { type CapturedResource, capture } from "../../rehearsal/engine/capture.ts";
import type { ListedResource } from "./bare.ts";
import { project } from "./mocks.ts";
import { ours } from "./ours.ts";

const [count = "", file = ""] = process.argv.slice(2);
const { resources } = await capture({ ...project, project: project.name }, ours(Number(count)));

const byKey = new Map(resources.map((resource) => [resource.key, resource]));
const parentsFirst = new Set<CapturedResource>();
function visit(resource: CapturedResource): void {
  const parent = resource.parent === undefined ? undefined : byKey.get(resource.parent);
  if (parent) visit(parent);
  parentsFirst.add(resource);
}
resources.forEach(visit);
const listed = [...parentsFirst].map(
  ({ key, type, name, custom, parent, inputs }): ListedResource => ({
    key,
    type,
    name,
    custom,
    inputs,
    ...(parent === undefined ? {} : { parent }),
  }),
);
writeFileSync(file, JSON.stringify(listed));
