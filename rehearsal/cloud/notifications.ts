/** Topics that alarms tell people by, and the queue for events that were given up on. */

export class Notifications {
  readonly #topics = new Set<string>();
  readonly #subscriptions = new Map<string, { readonly topicArn: string; readonly recipient: string }>();
  /** Name of the dead-letter queue, while there is one. */
  queueName: string | undefined;
  deadLetters = 0;

  putTopic(arn: string): void {
    this.#topics.add(arn);
  }

  deleteTopic(arn: string): void {
    this.#topics.delete(arn);
  }

  /** @param recipient who reads it, in words for the timeline */
  putSubscription(id: string, topicArn: string, recipient: string): void {
    this.#subscriptions.set(id, { topicArn, recipient });
  }

  deleteSubscription(id: string): void {
    this.#subscriptions.delete(id);
  }

  putQueue(name: string): void {
    this.queueName = name;
  }

  deleteQueue(): void {
    this.queueName = undefined;
  }

  /** Who is told by a topic, ascending; nobody by one that does not exist, as CloudWatch does not check. */
  recipients(topicArn: string): string[] {
    if (!this.#topics.has(topicArn)) return [];
    return [...this.#subscriptions.values()]
      .filter((subscription) => subscription.topicArn === topicArn)
      .map((subscription) => subscription.recipient)
      .sort();
  }
}
