#!/usr/bin/env node
// Runs the TypeScript commands without a build step.
import { register } from "tsx/esm/api";

// The SDK's notice on Node 20 takes eight lines before every command's own; README says which versions are recommended.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
register();
await import("./tidegate.ts");
