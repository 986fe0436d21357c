/**
 * What of the declared program no emulator can show, and why: the one list of it. Everything else that is declared is applied; a
 * resource type without a way to apply it is refused by name.
 */

export interface NotEmulated {
  readonly what: string;
  readonly why: string;
  /** What is done instead. */
  readonly instead: string;
}

export const notEmulated: readonly NotEmulated[] = [
  {
    what: "alarm actions and evaluation of metric alarms",
    why: "ministack drops `Metrics` (math), ignores dimensions and M of N",
    instead: "states are set by hand with SetAlarmState; evaluation is proven in test/core and by the rehearsal",
  },
  {
    what: "CloudWatch Alarm State Change on EventBridge",
    why: "no emulator emits it, and PutEvents refuses sources of AWS itself, as on AWS",
    instead:
      "the declared pattern is asked whether it takes the documented event, and that event is handed to the declared target's alias by a rule of the test's own",
  },
  {
    what: "clocks",
    why: "a minute that passes by itself would meddle with tests that count",
    instead: "schedules are made disabled, and enabled by the test that waits for one",
  },
  {
    what: "KMS on topics and log groups",
    why: "ministack encrypts nothing and asks no key policy",
    instead: "the key and its policy are made; nothing here shows that the role's KMS statement suffices",
  },
  {
    what: "e-mail subscriptions",
    why: "nobody can confirm one",
    instead: "the subscription is made and stays pending; the topics have a queue of the test's own",
  },
  {
    what: "IAM on ELBv2",
    why: "moto keeps the weights and checks no policy; ministack checks and loses the weights",
    instead: "every recorded call is judged against the declared policy, and ministack is asked for a denial",
  },
  {
    what: "arm64, nodejs22.x, 512 MB, X-Ray, log groups of functions",
    why: "ministack runs the bundle in a process of the machine's own Node",
    instead: "the declaration is checked under mocks; logs are read from the invocation",
  },
  {
    what: "target health",
    why: "moto calls every registered target healthy",
    instead: "two addresses are registered for each group that the program makes",
  },
];
