/** Channels of `node:diagnostics_channel`: whoever runs in the same process may listen, and pays only then. */
const { channel: open } = process.getBuiltinModule('node:diagnostics_channel');

export interface EventChannel {
  readonly hasSubscribers: boolean;
  publish(payload: object): void;
}

export function channel(name: string): EventChannel {
  return open(name);
}
