/** How large the stacks are that program time is measured with, and what has to hold. */

/** Services of a stack. */
export const sizes: readonly number[] = [1, 10, 100, 300];

/** Most that our program may take of time and memory beside a bare one, at one size. */
export const boundAt = { services: 100, ratio: 1.25 } as const;
