/**
 * Work under the pointer's lock, which every commit takes: a guarded put whose guard does the work and then declines to
 * publish. The pointer is not touched.
 */
import { LodeError } from '../errors.ts';
import type { Operation } from './operation.ts';

export async function exclusively(
  { store, signal }: Operation,
  pointerKey: string,
  work: () => Promise<void>,
): Promise<void> {
  if (!store.capabilities.guardedPut) return work();
  const done = new LodeError('LODE_CLOSED', 'the work under the lock is done', { key: pointerKey });
  const beforePublish = async (): Promise<never> => {
    await work();
    throw done;
  };
  try {
    await store.put(pointerKey, new Uint8Array(0), { mode: 'overwrite', beforePublish, signal });
  } catch (error) {
    if (error !== done) throw error;
  }
}
