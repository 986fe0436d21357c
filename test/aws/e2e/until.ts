/** Waiting for what emulators do by themselves, in the real time they take. */

/**
 * Asks again until the answer is as wanted.
 * @param limitMilliseconds then it gives up, and says what it was told last
 */
export async function until<Answer>(
  ask: () => Promise<Answer> | Answer,
  isWanted: (answer: Answer) => boolean,
  limitMilliseconds = 15_000,
): Promise<Answer> {
  const deadline = performance.now() + limitMilliseconds;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`not so within ${limitMilliseconds} ms, got ${JSON.stringify(answer)?.slice(0, 2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
