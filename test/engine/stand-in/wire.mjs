// The provider protocol's odds and ends: protobuf structs, unknown values, hashes, the call log.
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

// gRPC and protobuf are dependencies of the Pulumi SDK, not ours: resolve them as the SDK would, so that there is one copy.
const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
export const grpc = sdk("@grpc/grpc-js");
export const messages = sdk("@pulumi/pulumi/proto/provider_pb.js");
export const services = sdk("@pulumi/pulumi/proto/provider_grpc_pb.js");
export const { PluginInfo } = sdk("@pulumi/pulumi/proto/plugin_pb.js");
export const { Empty } = sdk("google-protobuf/google/protobuf/empty_pb.js");
const { Struct } = sdk("google-protobuf/google/protobuf/struct_pb.js");

/** What the engine sends, and expects back, for a value not known before the real update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const ASSET_OR_ARCHIVE = "4dabf18193072939515e22adb298388d";

export const plain = (struct) => struct?.toJavaScript() ?? {};
/** Through JSON, because a protobuf struct has no `undefined`. */
export const toStruct = (object) => Struct.fromJavaScript(JSON.parse(JSON.stringify(object)));

export const equal = isDeepStrictEqual;
export const changedKeys = (olds, news) =>
  [...new Set([...Object.keys(olds), ...Object.keys(news)])]
    .filter((key) => !key.startsWith("__") && !equal(olds[key], news[key]))
    .sort();

/** Digits that look random and never are: the same seed gives the same ARN in every run. */
export const hex = (seed, length = 16) => createHash("sha256").update(seed).digest("hex").slice(0, length);
export const digits = (seed, length = 10) =>
  BigInt(`0x${hex(seed)}`)
    .toString()
    .slice(0, length)
    .padStart(length, "1");

/** A refusal names what it refuses, so that a test never passes on something nobody modelled. */
export class Refused extends Error {}

/** One line a call, written before the call does anything: "not in the log" means "the provider was not asked". */
export function logCall(entry) {
  const file = process.env.STAND_IN_LOG;
  if (file) appendFileSync(file, `${JSON.stringify(entry, (_key, value) => shorten(value))}\n`);
}

/** A bundle's whole source in every line would drown the log; its hash says as much. */
const shorten = (value) => (value?.[ASSET_OR_ARCHIVE] && value.hash ? { hash: value.hash } : value);
