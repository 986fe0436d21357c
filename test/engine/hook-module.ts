/** What the stand-in runs for an invocation: the hook's real handler, told by the environment where its table is. */
import { handler } from "../../hooks/handler.ts";

export const invoke = (event: object): Promise<object> => handler(event);
