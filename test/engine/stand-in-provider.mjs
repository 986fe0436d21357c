// A stand-in for the aws provider: lets the real Pulumi engine run `up`, `preview`, `refresh` and policies without any cloud.
// It proves what the engine does with our program. What the real provider answers to diff, replace and autoname it only models.
//
//   STAND_IN_LOG              file that gets one JSON line a call: {op, type, urn, inputs, oldInputs, preview}
//   STAND_IN_ELBV2_ENDPOINT   mirror load balancers, listeners, rules and target groups to this emulator
//   STAND_IN_SUFFIX_SEED      stacks that share an emulator have one each, or the same program would take the same names twice
//   STAND_IN_LAMBDA_MODULE    module whose `invoke(input)` answers aws:lambda/invocation:Invocation
import { elbv2Mirror } from "./stand-in/elbv2.mjs";
import { invokeLambda } from "./stand-in/invocation.mjs";
import { INVOKES } from "./stand-in/invokes.mjs";
import { DEFAULT_REGION, RESOURCES } from "./stand-in/resources.mjs";
import { VENDOR_INVOKES, VENDOR_RESOURCES } from "./stand-in/vendors.mjs";
import {
  changedKeys,
  Empty,
  equal,
  grpc,
  hex,
  logCall,
  messages,
  PluginInfo,
  plain,
  Refused,
  services,
  toStruct,
  UNKNOWN,
} from "./stand-in/wire.mjs";

const INVOCATION = "aws:lambda/invocation:Invocation";
const provider = { region: DEFAULT_REGION, defaultTags: {}, mirror: undefined };

const typeOf = (urn) => urn.split("::")[2].split("$").at(-1);
const logicalName = (urn) => urn.split("::").slice(3).join("::");
const hasUnknown = (value) => JSON.stringify(value ?? null).includes(UNKNOWN);

function modelOf(type) {
  const model = RESOURCES[type] ?? VENDOR_RESOURCES[type];
  if (!model) throw new Refused(`resources of type ${type}`);
  return model;
}

const replaceKeys = ({ replaces, replacesUnless }, inputs) =>
  replacesUnless && !replacesUnless.keptBy(inputs) ? [...replaces, ...replacesUnless.keys] : replaces;

/** Old and new half of a replacement share a URN; what forced it tells them apart. */
function seedOf(urn, model, inputs) {
  return `${process.env.STAND_IN_SUFFIX_SEED ?? ""}${urn}|${JSON.stringify(replaceKeys(model, inputs).map((key) => inputs[key] ?? null))}`;
}

function nameOf(urn, model, inputs) {
  if (model.name === null) return undefined;
  const given = inputs[model.nameKey ?? "name"];
  if (given !== undefined) return given;
  const seed = seedOf(urn, model, inputs);
  if (hasUnknown(seed)) return UNKNOWN;
  if (inputs.namePrefix) return `${inputs.namePrefix}${hex(seed, 6)}`;
  const fifo = inputs.fifoQueue || inputs.fifoTopic ? ".fifo" : "";
  return `${model.namePrefix ?? ""}${logicalName(urn)}-${hex(seed, 7)}${fifo}`;
}

/** Load balancer and target group names are where a long or dotted service name first hurts: fail as early as the real provider. */
function checkName(name, { maxName }) {
  if (!maxName || name === undefined || name === UNKNOWN) return;
  if (name.length > maxName) throw new Error(`name '${name}' is longer than ${maxName} characters`);
  if (!/^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(name))
    throw new Error(`name '${name}' may only hold letters, digits and inner hyphens`);
}

const regionOf = (inputs) => inputs.region ?? provider.region;

function ambient(inputs) {
  return { region: regionOf(inputs), tagsAll: { ...provider.defaultTags, ...inputs.tags } };
}

/** In a preview only what the inputs already say is known, as with the real provider. */
function unknownUnlessGiven(outputs, inputs, name) {
  const known = (key, value) => (equal(inputs[key], value) || (value === name && name !== UNKNOWN) ? value : UNKNOWN);
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, known(key, value)]));
}

async function create({ urn, type, inputs, preview }) {
  const model = modelOf(type);
  const name = nameOf(urn, model, inputs);
  const base = { ...inputs, ...ambient(inputs) };
  const modelled = model.identify({ urn, name, inputs, region: regionOf(inputs), seed: seedOf(urn, model, inputs) });
  if (preview) {
    const result = type === INVOCATION ? { result: UNKNOWN } : {};
    return { id: "", state: { ...base, ...unknownUnlessGiven(modelled.outputs, inputs, name), ...result } };
  }
  if (provider.mirror?.has(type)) {
    const { id, outputs } = await provider.mirror.create(type, inputs, name);
    return { id, state: { ...base, ...outputs } };
  }
  const result = type === INVOCATION ? await invokeLambda("create", inputs) : {};
  return { id: modelled.id, state: { ...base, ...modelled.outputs, ...result } };
}

async function update({ id, type, inputs, oldInputs, olds, preview }) {
  const model = modelOf(type);
  const changed = changedKeys(oldInputs, inputs);
  const computed = Object.fromEntries(Object.entries(olds).filter(([key]) => !(key in oldInputs)));
  const fresh = model.updated?.({ inputs, olds, region: regionOf(inputs), changed }) ?? {};
  const state = { ...computed, ...inputs, ...ambient(inputs) };
  if (preview) {
    const result = type === INVOCATION ? { result: UNKNOWN } : {};
    return { ...state, ...unknownUnlessGiven(fresh, inputs), ...result };
  }
  if (provider.mirror?.has(type)) await provider.mirror.update(type, id, inputs, oldInputs, changed);
  const result = type === INVOCATION ? await invokeLambda("update", inputs, oldInputs) : {};
  return { ...state, ...fresh, ...result };
}

async function read({ id, urn, type, inputs, state }) {
  modelOf(type);
  if (Object.keys(state).length === 0)
    throw new Refused(`reading ${type} ${logicalName(urn)}, which this stack did not create`);
  if (!provider.mirror?.has(type)) return { id, inputs, state };
  const found = await provider.mirror.read(type, id, inputs);
  // An empty id is how a provider says "it is gone".
  return found
    ? { id, inputs: found.inputs, state: { ...state, ...found.outputs } }
    : { id: "", inputs: {}, state: {} };
}

function diff({ type, inputs, oldInputs }) {
  const model = modelOf(type);
  const changed = changedKeys(oldInputs, inputs);
  const replaces = changed.filter((key) => replaceKeys(model, inputs).includes(key));
  // The bridge deletes first when a fixed physical name would collide with its own replacement.
  const nameKey = model.nameKey ?? "name";
  const deleteFirst =
    replaces.length > 0 && model.name !== null && inputs[nameKey] !== undefined && !changed.includes(nameKey);
  return { changed, replaces, deleteFirst };
}

async function lookUp(token, args) {
  const answer = INVOKES[token] ?? VENDOR_INVOKES[token];
  if (!answer) throw new Refused(`the look-up ${token}`);
  const fallback = answer(args, regionOf(args));
  return provider.mirror ? provider.mirror.lookUp(token, args, fallback) : fallback;
}

// The protocol, from here on.

function diffResponse({ changed, replaces = [], deleteFirst = false }) {
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changed.length ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList(changed);
  response.setReplacesList(replaces);
  response.setDeletebeforereplace(deleteFirst);
  return response;
}

function checkResponse(request) {
  const response = new messages.CheckResponse();
  response.setInputs(request.getNews());
  return response;
}

const parsed = (value) => (typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value);

const handlers = {
  getPluginInfo: () => {
    const info = new PluginInfo();
    info.setVersion("7.48.0");
    return info;
  },
  checkConfig: checkResponse,
  diffConfig: (request) => diffResponse({ changed: changedKeys(plain(request.getOlds()), plain(request.getNews())) }),
  configure: (request) => {
    const args = plain(request.getArgs());
    provider.region = args.region ?? DEFAULT_REGION;
    provider.defaultTags = parsed(args.defaultTags)?.tags ?? {};
    const endpoint = process.env.STAND_IN_ELBV2_ENDPOINT;
    provider.mirror = endpoint ? elbv2Mirror(endpoint, provider.region) : undefined;
    const response = new messages.ConfigureResponse();
    response.setSupportspreview(true);
    return response;
  },
  check: (request) => {
    const [urn, inputs] = [request.getUrn(), plain(request.getNews())];
    const type = typeOf(urn);
    logCall({ op: "check", type, urn, inputs, oldInputs: plain(request.getOlds()) });
    const model = modelOf(type);
    checkName(nameOf(urn, model, inputs), model);
    return checkResponse(request);
  },
  diff: (request) => {
    const call = { urn: request.getUrn(), type: typeOf(request.getUrn()) };
    Object.assign(call, { inputs: plain(request.getNews()), oldInputs: plain(request.getOldInputs()) });
    logCall({ op: "diff", ...call });
    return diffResponse(diff(call));
  },
  create: async (request) => {
    const call = { urn: request.getUrn(), type: typeOf(request.getUrn()), inputs: plain(request.getProperties()) };
    call.preview = request.getPreview();
    logCall({ op: "create", ...call });
    const { id, state } = await create(call);
    const response = new messages.CreateResponse();
    response.setId(id);
    response.setProperties(toStruct(state));
    return response;
  },
  update: async (request) => {
    const call = {
      urn: request.getUrn(),
      type: typeOf(request.getUrn()),
      id: request.getId(),
      preview: request.getPreview(),
    };
    Object.assign(call, { inputs: plain(request.getNews()), oldInputs: plain(request.getOldInputs()) });
    logCall({ op: "update", ...call });
    const response = new messages.UpdateResponse();
    response.setProperties(toStruct(await update({ ...call, olds: plain(request.getOlds()) })));
    return response;
  },
  read: async (request) => {
    const call = {
      urn: request.getUrn(),
      type: typeOf(request.getUrn()),
      id: request.getId(),
      inputs: plain(request.getInputs()),
    };
    logCall({ op: "read", ...call });
    const { id, inputs, state } = await read({ ...call, state: plain(request.getProperties()) });
    const response = new messages.ReadResponse();
    response.setId(id);
    response.setInputs(toStruct(inputs));
    response.setProperties(toStruct(state));
    return response;
  },
  delete: async (request) => {
    const call = { urn: request.getUrn(), type: typeOf(request.getUrn()), id: request.getId() };
    const oldInputs = plain(request.getOldInputs());
    logCall({ op: "delete", ...call, oldInputs });
    modelOf(call.type);
    if (provider.mirror?.has(call.type)) await provider.mirror.delete(call.type, call.id);
    if (call.type === INVOCATION) await invokeLambda("delete", oldInputs, oldInputs);
    return new Empty();
  },
  invoke: async (request) => {
    const [type, inputs] = [request.getTok(), plain(request.getArgs())];
    logCall({ op: "invoke", type, inputs });
    const response = new messages.InvokeResponse();
    response.setReturn(toStruct(await lookUp(type, inputs)));
    return response;
  },
  cancel: () => new Empty(),
};

const serve = (handler) => async (call, callback) => {
  try {
    callback(null, await handler(call.request));
  } catch (error) {
    const details = error instanceof Refused ? `the stand-in provider does not model ${error.message}` : error.message;
    callback({ code: grpc.status.UNKNOWN, details });
  }
};

const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
server.addService(
  services.ResourceProviderService,
  Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, serve(handler)])),
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  // The engine reads the port from the first line on stdout.
  console.log(port);
});

// The engine starts plugins in a process group of their own: one that is killed would leave this running.
const engine = process.ppid;
setInterval(() => process.ppid !== engine && process.exit(), 1_000).unref();
