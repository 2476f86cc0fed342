/** A store that holds the first put that matches until told to go on. */
import type { Store } from '../../../src/store/index.ts';

export function stalled(
  store: Store,
  matches: (key: string, bytes: number) => boolean,
): { store: typeof store; reached: Promise<void>; go: () => void } {
  let go = (): void => {};
  let arrived = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const reached = new Promise<void>((resolve) => (arrived = resolve));
  let first = true;
  const put: typeof store.put = async (key, body, options) => {
    const bytes = body instanceof Uint8Array ? body.length : 0;
    if (first && matches(key, bytes)) {
      first = false;
      arrived();
      await gate;
    }
    return store.put(key, body, options);
  };
  const proxy = new Proxy(store, {
    get(target, name) {
      if (name === 'put') return put;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  return { store: proxy, reached, go };
}
