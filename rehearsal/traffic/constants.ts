/**
 * Every number the rehearsal's traffic is made from, each with its source or with the words "assumed, because".
 *
 * What a rehearsal shows follows from these. They are not tuned to results: no number here changes in a commit that makes a
 * test pass.
 */
export const traffic = {
  /** Mean over a day, all releases together. Unit: requests per second. Assumed, because the plans' soak times and floors are sized for a mid-size service: 4.3 million requests a day. */
  meanRatePerSecond: 50,

  /** The day as a sinusoid in UTC; its mean over 24 h is exactly the mean rate. */
  rhythm: {
    /** Swing around the mean. Unit: fraction. Assumed, because quiet hours at a third of the mean and a peak of five thirds are usual for a service with users in one part of the world. */
    swingFraction: 2 / 3,
    /** Unit: hour of the day, UTC. Assumed, because the busiest time of a European daytime service is the afternoon. */
    peakHour: 15,
  },

  errors: {
    /** 5xx answers of a healthy release. Unit: fraction of requests. Assumed, because a service that promises 99.95 % availability (preset `web`) must do clearly better than 0.05 % most of the time. */
    baseFraction: 0.0002,
    /**
     * Shape of the gamma that the base ratio is multiplied with (mean 1): errors of a healthy release come in bursts, not
     * evenly. Their count in a minute is negative binomial with this shape. Assumed, because 1 makes the worst of a hundred
     * minutes 4.6 times the mean, which is what retries and single bad hosts look like; a plain Poisson would flatter us.
     */
    gammaShape: 1,
    /** How long one draw of that gamma holds. Unit: seconds. Assumed, because short bursts last about a minute, and that is the shortest load balancer period. */
    burstSeconds: 60,
    /** Requests whose connection to a target fails; the load balancer answers them. Unit: fraction. Assumed, because a healthy target group refuses next to none; not zero, so that the metric exists. */
    connectionFraction: 0.000_01,
  },

  /** Lognormal: p50 35 ms, p95 110 ms, p99 177 ms. Assumed, because a healthy release must sit under the presets' own targets (`batch`: 50, 150, 500 ms; `web`: p95 2,000 ms), and lognormal is the usual shape of service latency. */
  latency: {
    medianMs: 35,
    /** Of the logarithm: ln(110 / 35) / 1.6449, so that p95 is 110 ms. */
    sigma: 0.6962,
    /** Slow drift of the whole distribution, redrawn every `burstSeconds`. Unit: fraction, standard deviation. Assumed, because minutes of one release differ by a few percent even at rest. */
    jitterFraction: 0.04,
  },

  /**
   * What a healthy release reports of itself besides requests, errors and latency. Every one lies inside the targets of the presets that
   * have one (core/objectives.ts), since a release that misses its target at rest is not healthy.
   */
  reported: {
    /** Processes of a release, which its processor load is spread over. As many as it has hosts here. */
    processes: 4,
    /** Resident memory once warm. Unit: megabytes. Assumed, because an interpreted service with its caches full is usually a few hundred. */
    memoryMegabytes: 400,
    /** Releases differ in size at rest. Unit: fraction, standard deviation. Assumed, because versions of one service mostly share their dependencies. */
    memorySpreadFraction: 0.03,
    /** Garbage collection moves it about. Unit: fraction, standard deviation a minute. Assumed, because a heap is left to grow by some percent between collections, and a minute has several. */
    memoryJitterFraction: 0.01,
    /** Caches and code that fill after the start: so much of it is missing at first, and a third of the rest is left after each `memoryWarmingMinutes`. Unit: fraction. Assumed, because a fresh process is a little smaller than a warm one. One that warms by more than 10 % is taken for a leak by preset `migration`, since an hour before that has but its first minutes says what those were. */
    memoryColdFraction: 0.05,
    memoryWarmingMinutes: 10,
    /** Of one core, without requests. Unit: percent. Assumed, because timers, health checks and collections never rest. */
    idleCpuPercent: 20,
    /** Assumed, because a request that takes 35 ms at the median mostly waits. Unit: milliseconds of processor time. */
    cpuMillisecondsPerRequest: 4,
    /** Unit: fraction, standard deviation a minute. Assumed, because neighbours and collections show. */
    cpuJitterFraction: 0.05,
    /** Look-ups that find something. Unit: fraction. Preset `web` aims for 80 %. */
    cacheHitFraction: 0.9,
    /** The same for requests that are new on a release since an opening. Unit: fraction. Assumed, because its own part of the cache is cold and the shared part is not; the first minute, a third of it cold, keeps the target. */
    coldCacheHitFraction: 0.7,
    /** Requests turned away by a rate limit. Unit: fraction. Preset `web` warns from 10 a minute on; at the peak this makes one. */
    rejectFraction: 0.0002,
    /** Openings of a circuit breaker, each of a few seconds. Unit: a day. Assumed, because dependencies blink; preset `web` aims for recovery within 30 s. */
    breakerOpeningsPerDay: 2,
    breakerOpenSeconds: { least: 5, most: 25 },
    /** Requests on which old and new implementation both run. Unit: fraction. Assumed, because running twice costs twice. Results never differ: preset `migration` aims for none. */
    dualRunFraction: 0.1,
    /** Requests that the old implementation had to answer. Unit: fraction. Assumed. */
    fallbackFraction: 0.001,
    /** Requests that ask a flag. Unit: fraction. Plan `migration` wants over 95 %. */
    flagFraction: 0.99,
    itemsPerRequest: 10,
    /** Unit: items per second of processing time. Preset `batch` aims for 10,000. */
    itemsPerSecond: 12_500,
    /** Unit: fraction, standard deviation a minute. Assumed, because batches differ in how hard they are. */
    itemsJitterFraction: 0.05,
  },

  /** Each opening disturbs the requests that are new on the release: cold caches, just-in-time compilation, new connections. */
  blip: {
    /** Unit: seconds. Assumed, because caches and pools of a small service are warm within a few hundred requests. */
    durationSeconds: 20,
    /** Assumed, because cold requests usually take two to three times as long. */
    latencyMultiplier: 2.5,
    /** Unit: fraction of the newly arriving requests, added. Assumed, because a few time-outs at opening are normal and below every preset's bound. */
    errorFraction: 0.003,
  },

  /**
   * How long after ModifyRule the load balancer still splits by the old weights. Unit: seconds, uniform between the two.
   * Assumed, because AWS publishes none; field reports show a window of seconds (argoproj/argo-rollouts issues 701, 3926,
   * 4595, kubernetes-sigs/aws-load-balancer-controller 3588, read 2026-11).
   */
  weightPropagationSeconds: { least: 2, most: 10 },

  /** Requests that carry a group stickiness cookie of an earlier request, where stickiness is on. Unit: fraction. Assumed, because most requests of a session come after its first. */
  stickyFraction: 0.6,

  /** From a base period's end until its point can be read. Unit: seconds. Load balancer: docs.datadoghq.com/integrations/guide/cloud-metric-delay, read 2026-11. EMF: assumed, because lines are ingested within seconds of being written. As `sourceDelaySeconds` in core/alarms.ts. */
  metricDelaySeconds: { alb: 120, emf: 10 },
} as const;
