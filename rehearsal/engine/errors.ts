/** What the rehearsal's engine and cloud do not do, they refuse by name: a step silently skipped would make a rehearsal lie. */

/** AWS or Pulumi may know it, the rehearsal does not. */
export class NotRehearsedError extends Error {
  override readonly name = "NotRehearsedError";
}

/** AWS itself would refuse it. */
export class ProviderRefusedError extends Error {
  override readonly name = "ProviderRefusedError";
}
