// Where Pulumi starts the pack. It requires its entry through ts-node, which knows no ES modules, and passes a pack no `nodeargs`;
// so tsx is registered here, and loads the pack as an ES module.
module.exports = import("tsx/esm/api").then(({ register }) => {
  register();
  return import("./index.ts");
});
