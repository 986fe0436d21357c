#!/usr/bin/env node
// Runs the TypeScript commands without a build step.
import { register } from "tsx/esm/api";

register();
await import("./tidegate.ts");
