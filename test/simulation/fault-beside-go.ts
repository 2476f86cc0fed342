/** The operations that take another way where Go processes commit too: the pointer is held while a commit is published. */
import { utf8Decode } from '../../src/bytes/index.ts';
import type { FaultLab, Rows } from './fault-lab.ts';
import { base, cutOff, mending, pointerKey, write, writing } from './fault-operations.ts';
import type { FaultOperation } from './fault-operations.ts';

const open = (lab: FaultLab): Promise<Rows> =>
  lab.open(lab.broken, { peers: 'go', retry: { attempts: 4 } });

/** What a crash of such a writer leaves. */
async function leaveHeld(lab: FaultLab): Promise<void> {
  const pointer = await lab.healthy.get(pointerKey);
  const id = pointer === undefined ? '' : utf8Decode(await pointer.bytes());
  await lab.healthy.put(pointerKey, `${id}\n${' \t'.repeat(24)}`, { mode: 'overwrite' });
}

const writes = [false, true].flatMap((hive) => {
  const kind = hive ? 'hive' : 'plain';
  return [
    writing(`write ${kind} beside Go, first of all`, hive, async (lab) => {
      const handle = await open(lab);
      return { run: write(handle), before: [], handle };
    }),
    writing(`write ${kind} beside Go, head known`, hive, async (lab) => {
      await lab.commit(...base);
      const handle = await open(lab);
      await handle.latest();
      return { run: write(handle), before: base, handle };
    }),
    writing(
      `write ${kind} beside Go, lost race`,
      hive,
      async (lab) => {
        await lab.commit(...base);
        const handle = await open(lab);
        await handle.latest();
        await lab.commit('rival');
        return { run: write(handle), before: [...base, 'rival'], handle };
      },
      true,
    ),
  ];
});

export const besideGo: readonly FaultOperation[] = [
  ...writes,
  writing(
    'write beside Go where a commit was cut off',
    false,
    async (lab) => {
      await lab.commit(...base);
      await cutOff(lab);
      const handle = await open(lab);
      return { run: write(handle), before: base, handle };
    },
    true,
  ),
  writing(
    'write beside Go where the pointer was held and left',
    false,
    async (lab) => {
      await lab.commit(...base);
      await leaveHeld(lab);
      const handle = await open(lab);
      return { run: write(handle), before: base, handle };
    },
    true,
  ),
  writing(
    'write beside Go where the first pointer was held and left',
    false,
    async (lab) => {
      await leaveHeld(lab);
      const handle = await open(lab);
      return { run: write(handle), before: [], handle };
    },
    true,
  ),
  writing(
    'write beside Go where the pointer is missing',
    false,
    async (lab) => {
      await lab.commit(...base);
      await lab.healthy.delete(pointerKey);
      const handle = await open(lab);
      return { run: write(handle), before: base, handle };
    },
    true,
  ),
  mending('repair a pointer that was held and left', leaveHeld),
];
