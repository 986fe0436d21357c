/**
 * zod as the hook uses it: the functional build with English messages. The other build carries every schema's methods along, which are a
 * sixth of the bundle and a quarter of its loading time, and a rollback waits for that.
 * Import `zod/mini` itself as a namespace beside this: through another module it could not be thinned out.
 */

import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";

z.config(en());

const text = z.string().check(z.minLength(1));
const percent = z.number().check(z.gte(0), z.lte(100));
const count = z.int().check(z.nonnegative());

export { count, percent, text };
