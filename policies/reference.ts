/** Writes the reference page, `docs/policies.md`. */
import { writeFileSync } from "node:fs";
import { referencePage } from "./reference/page.ts";

writeFileSync(new URL("../docs/policies.md", import.meta.url), await referencePage());
