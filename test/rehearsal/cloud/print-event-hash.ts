/** Prints the hash of a rollback's event log; run in a process of another time zone and locale. */
import "../../../core/stack-traces.ts";
import { hashOfRollback } from "./scene.ts";

console.log(await hashOfRollback(Number(process.argv[2])));
