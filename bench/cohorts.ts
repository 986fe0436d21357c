/**
 * What it costs to decide who is in the canary: `isCanary` beside the fastest bare SHA-256 that Node has, and a flag among many beside the local
 * evaluation of Unleash, GrowthBook and LaunchDarkly, all in one run, in turn, so that a slow moment of the machine falls on all. Processor time.
 *
 * Every id is another one within a round, so that nobody's memory helps. Every contender is asked how many of 10,000 ids are in at 25 %: one
 * that does not split would be fast for nothing.
 */
import { createHash, hash } from "node:crypto";
import { GrowthBookClient } from "@growthbook/growthbook";
import { init, integrations } from "@launchdarkly/node-server-sdk";
import { InMemStorageProvider, Unleash } from "unleash-client";
import { isCanary } from "../client/cohorts.ts";
import { flags } from "../client/flags.ts";
import { machine, median } from "./machine.ts";

const rounds = 15;
/** More where a few hundredths decide. */
const hashRounds = 60;
const idsPerRound = 20_000;
const exposurePercent = 25;
const numbersOfFlags = [10, 100, 1_000, 10_000] as const;

/** Most that `isCanary` may take of a bare hash. */
const boundToBare = 1.3;
/** Most that a flag among 10,000 may take of one among 10: flat, but for noise. */
const boundToFew = 1.2;

const ids = Array.from({ length: idsPerRound }, (_, index) => `user-${(index * 7_919) % 1_000_003}-${index}`);

/** Whether an id is in. */
type Decide = (id: string) => boolean | Promise<boolean>;

interface Contender {
  readonly name: string;
  readonly decide: Decide;
  close(): void;
}

/** Kept, so that no loop is without an effect. */
let seen = 0;

/** Processor time of one decision. Unit: nanoseconds. */
async function once(decide: Decide): Promise<number> {
  const before = process.cpuUsage();
  // Nothing waits for what is no promise: that would be measured, too.
  const isAsync = decide("warm") instanceof Promise;
  if (isAsync) for (const id of ids) seen += Number(await decide(id));
  else for (const id of ids) seen += Number(decide(id));
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / ids.length;
}

/** Figures of each, round by round, after one round to warm up. */
async function inTurn(contenders: readonly Contender[], count = rounds): Promise<ReadonlyMap<string, number[]>> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < count; round += 1) {
    for (const { name, decide } of contenders) {
      const nanoseconds = await once(decide);
      if (round >= 0) figures.get(name)?.push(nanoseconds);
    }
  }
  return figures;
}

const nothing = () => {};

/** One-shot hashes without anything round them; the fastest is the yardstick. */
const bare: readonly Contender[] = [
  { name: "hash, hex", decide: (id) => hash("sha256", id, "hex") < "4", close: nothing },
  {
    name: "hash, base64",
    decide: (id) => "ABCDEFGHIJKLMNOP".includes(hash("sha256", id, "base64").charAt(0)),
    close: nothing,
  },
  { name: "hash, binary", decide: (id) => hash("sha256", id, "binary") < "@", close: nothing },
  { name: "hash, bytes", decide: (id) => Number(hash("sha256", id, "buffer")[0]) < 64, close: nothing },
  { name: "createHash", decide: (id) => createHash("sha256").update(id).digest("hex") < "4", close: nothing },
];

const ours = { name: "isCanary", decide: (id: string) => isCanary(id, exposurePercent), close: nothing };

async function ourFlag(keys: readonly string[], asked: string): Promise<Contender> {
  const document = Object.fromEntries(keys.map((key) => [key, { enabled: true, exposurePercent }]));
  const read = flags({ environment: "bench", source: () => document, keys, refreshSeconds: 3_600 });
  await read.refresh();
  return { name: "tidegate", decide: (id) => read.isOn(asked, id), close: () => read.close() };
}

/** Never gets to a server: its flags are what it is started with. */
async function unleash(keys: readonly string[], asked: string): Promise<Contender> {
  const parameters = { rollout: String(exposurePercent), stickiness: "userId" };
  const client = new Unleash({
    url: "http://127.0.0.1:9/api",
    appName: "bench",
    disableMetrics: true,
    skipInstanceCountWarning: true,
    refreshInterval: 0,
    storageProvider: new InMemStorageProvider(),
    bootstrap: {
      data: keys.map((name) => ({
        name,
        enabled: true,
        type: "release",
        stale: false,
        impressionData: false,
        variants: [],
        strategies: [{ name: "flexibleRollout", constraints: [], parameters: { ...parameters, groupId: name } }],
      })),
    },
  });
  client.on("error", nothing);
  client.on("warn", nothing);
  await new Promise<void>((resolve) => client.once("ready", () => resolve()));
  return { name: "Unleash", decide: (userId) => client.isEnabled(asked, { userId }), close: () => client.destroy() };
}

function growthBook(keys: readonly string[], asked: string): Contender {
  const rule = { force: true, coverage: exposurePercent / 100, hashAttribute: "id" };
  const features = Object.fromEntries(keys.map((key) => [key, { defaultValue: false, rules: [rule] }]));
  const client = new GrowthBookClient().initSync({ payload: { features } });
  return {
    name: "GrowthBook",
    decide: (id) => client.isOn(asked, { attributes: { id } }),
    close: () => client.destroy(),
  };
}

/** It has no answer but a promise, which is part of its cost. */
async function launchDarkly(keys: readonly string[], asked: string): Promise<Contender> {
  const data = new integrations.TestData();
  const rollout = {
    variations: [
      { variation: 0, weight: exposurePercent * 1_000 },
      { variation: 1, weight: (100 - exposurePercent) * 1_000 },
    ],
  };
  const client = init("sdk-bench", {
    updateProcessor: data.getFactory(),
    sendEvents: false,
    logger: { error: nothing, warn: nothing, info: nothing, debug: nothing },
  });
  await client.waitForInitialization({ timeout: 5 });
  for (const key of keys) {
    await data.usePreconfiguredFlag({
      key,
      version: 1,
      on: true,
      variations: [true, false],
      fallthrough: { rollout },
      offVariation: 1,
      salt: key,
    });
  }
  return {
    name: "LaunchDarkly",
    decide: (key) => client.boolVariation(asked, { kind: "user", key }, false),
    close: () => client.close(),
  };
}

/** @throws when a contender does not split */
async function checkShare({ name, decide }: Contender): Promise<void> {
  let inside = 0;
  for (const id of ids.slice(0, 10_000)) inside += Number(await decide(id));
  if (inside < 2_300 || inside > 2_700) {
    throw new Error(`${name} has ${inside} of 10,000 ids in at ${exposurePercent} %; nothing was measured`);
  }
}

interface Row {
  readonly what: string;
  readonly values: readonly number[];
  readonly unit: "ns" | "×";
  /** @default none: it is told, not judged */
  readonly bound?: number;
}

function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / (to[round] ?? Number.NaN));
}

/** The one with the least median. */
function fastest(figures: ReadonlyMap<string, readonly number[]>): readonly [string, readonly number[]] {
  const [first] = [...figures].sort(([, left], [, right]) => median(left) - median(right));
  if (!first) throw new Error("nothing was measured");
  return first;
}

async function bareRows(): Promise<Row[]> {
  for (const contender of [...bare, ours]) await checkShare(contender);
  const figures = await inTurn([...bare, ours], hashRounds);
  const own = figures.get(ours.name) ?? [];
  const [name, yardstick] = fastest(new Map([...figures].filter(([each]) => each !== ours.name)));
  return [
    ...[...figures].map(([what, values]): Row => ({ what, values, unit: "ns" })),
    {
      what: `isCanary, of the fastest bare hash (${name})`,
      values: ratios(own, yardstick),
      unit: "×",
      bound: boundToBare,
    },
  ];
}

/** Everybody with so many flags, in turn. */
async function flagFigures(count: number): Promise<ReadonlyMap<string, number[]>> {
  const keys = Array.from({ length: count }, (_, index) => `flag-${index}`);
  const asked = `flag-${count >> 1}`;
  const contenders = [
    await ourFlag(keys, asked),
    await unleash(keys, asked),
    growthBook(keys, asked),
    await launchDarkly(keys, asked),
  ];
  try {
    for (const contender of contenders) await checkShare(contender);
    return await inTurn([ours, ...contenders]);
  } finally {
    for (const contender of contenders) contender.close();
  }
}

async function flagRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of numbersOfFlags) {
    const figures = await flagFigures(count);
    const among = `one flag among ${count.toLocaleString("en")}`;
    for (const [name, values] of figures) {
      if (name !== ours.name) rows.push({ what: `${among}, ${name}`, values, unit: "ns" });
    }
    const [name, peer] = fastest(new Map([...figures].filter(([each]) => each !== ours.name && each !== "tidegate")));
    for (const each of [ours.name, "tidegate"]) {
      const values = ratios(figures.get(each) ?? [], peer);
      rows.push({ what: `${among}, ${each} of the fastest peer (${name})`, values, unit: "×", bound: 1 });
    }
  }
  return rows;
}

/** Few and many flags of ours in turn, so that the ratio is of one moment. */
async function flatRow(): Promise<Row> {
  const [few, many] = [numbersOfFlags[0], numbersOfFlags[numbersOfFlags.length - 1] ?? 0];
  const contenders = await Promise.all(
    [few, many].map(async (count) => {
      const keys = Array.from({ length: count }, (_, index) => `flag-${index}`);
      return { ...(await ourFlag(keys, `flag-${count >> 1}`)), name: String(count) };
    }),
  );
  const figures = await inTurn(contenders);
  for (const contender of contenders) contender.close();
  const values = ratios(figures.get(String(many)) ?? [], figures.get(String(few)) ?? []);
  return {
    what: `a flag among ${many.toLocaleString("en")}, of one among ${few}`,
    values,
    unit: "×",
    bound: boundToFew,
  };
}

function isKept({ bound, values }: Row): boolean {
  return bound === undefined || median(values) <= bound;
}

/** Prints the table. Exit code 1 when a bound is missed. */
export async function printCohorts(): Promise<void> {
  const rows = [...(await bareRows()), ...(await flagRows()), await flatRow()];
  console.log(
    `${machine()}; processor time of one decision, ${rounds} rounds (hashes ${hashRounds}) of ${idsPerRound.toLocaleString("en")} ids`,
  );
  console.log("");
  console.log("| what | median | least | most | bound | |");
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) {
    const { what, values, unit, bound } = row;
    const told = (value: number) => (unit === "×" ? `${value.toFixed(2)} ×` : `${value.toFixed(0)} ns`);
    const verdict = bound === undefined ? "" : isKept(row) ? "ok" : "MISSED";
    const [least, most] = [Math.min(...values), Math.max(...values)];
    console.log(
      `| ${what} | ${told(median(values))} | ${told(least)} | ${told(most)} | ${bound === undefined ? "–" : told(bound)} | ${verdict} |`,
    );
  }
  if (seen === 0) throw new Error("nobody was in; nothing was measured");
  process.exitCode = rows.every(isKept) ? 0 : 1;
}
