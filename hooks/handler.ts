/** Entry of the hook's function: the handler over AWS, told by the function's environment where it is. */
import { hookPortsFromEnvironment } from "./aws/hook-ports.ts";
import { makeHandler } from "./handle.ts";

export const handler = makeHandler(() => hookPortsFromEnvironment(process.env));
