/** Channels between parts of a program: the web has none. Pass a logger instead. */
export interface EventChannel {
  readonly hasSubscribers: boolean;
  publish(payload: object): void;
}

export function channel(_name: string): EventChannel {
  return { hasSubscribers: false, publish: () => {} };
}
