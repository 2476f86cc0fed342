/** What the compiler knows of records read from a dataset: checked when this compiles, never run. */
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

interface Visit {
  day: string;
  user: string;
  ms: number;
}

export async function columns(): Promise<void> {
  const dataset = await openDataset<Visit>('visits', { store: memoryStore(), codec: jsonl() });
  const whole = await dataset.read('1');
  void (true satisfies Same<typeof whole, Visit[]>);
  const some = await dataset.read('1', { columns: ['ms', 'day'] });
  void (true satisfies Same<typeof some, Pick<Visit, 'ms' | 'day'>[]>);
  for await (const record of dataset.records('1', { columns: ['user'], where: { ms: 1 } }))
    void (true satisfies Same<typeof record, Pick<Visit, 'user'>>);
  // @ts-expect-error -- there is no such field
  await dataset.read('1', { columns: ['nobody'] });
}
