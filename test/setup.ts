import "../core/stack-traces.ts";
