/** What the stand-in runs for an invocation: the hook's real handler, told by the environment where its table is. */
import { makeHandler, partsFromEnvironment } from "../../hooks/handler.ts";

const handler = makeHandler(() => partsFromEnvironment(process.env));

export const invoke = (event: object): Promise<object> => handler(event);
