/** `lode doctor`: what this storage can and cannot promise, found out by trying it. */
import { isLodeError, systemEnv, withProbe } from 'lode';
import type { Store } from 'lode';
import type { Command } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { openStore } from '../open-store.ts';
import { columnsText, plainText } from '../text.ts';

type Status = 'ok' | 'warning' | 'failed' | 'skipped';

interface Check {
  readonly name: string;
  readonly status: Status;
  readonly says: string;
}

/** Beyond this, ids of several machines are far from the order they were made in. */
const skewWarningMs = 5_000;
/** What probes, collectors and this command leave when they are killed. */
const scratchPrefixes = ['lode-probe-', 'lode-doctor-', 'lode-clock-'];

export const command: Command = {
  options: { 'read-only': { type: 'boolean' } },
  takes: [1, 1],
  async run(call) {
    const { out, signal } = call;
    const store = await openStore(call);
    const checks = [
      await listing(store, signal),
      ...(call.flag('read-only') ? [skipped] : await writing(store, signal)),
      ...declared(store),
    ];
    const failed = checks.some(({ status }) => status === 'failed');
    if (out.json) {
      const { capabilities } = store;
      await out.document({
        command: 'doctor',
        ok: !failed,
        capabilities: { ...capabilities },
        checks,
      });
    } else {
      const colours = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'yellow' } as const;
      const lines = columnsText(checks.map(({ name, status }) => [status, name]));
      for (const [at, { status, says }] of checks.entries())
        await out.line(out.paint(colours[status], `${lines[at]?.padEnd(28)}  ${plainText(says)}`));
      await out.line(
        failed
          ? 'Datasets cannot be committed safely here.'
          : 'Datasets can be committed here; what that promises is in docs/guarantees.md.',
      );
    }
    return failed ? exitCodes.failure : exitCodes.ok;
  },
};

const skipped: Check = {
  name: 'writing',
  status: 'skipped',
  says: 'left out: whether conditional writes work is not known',
};

/** A store that cannot be listed cannot be looked at: that error is the answer. */
async function listing(store: Store, signal: AbortSignal): Promise<Check> {
  const left: string[] = [];
  for (const prefix of scratchPrefixes)
    for await (const { key } of store.list(prefix, { signal })) left.push(key);
  if (left.length === 0) return { name: 'listing', status: 'ok', says: 'keys can be listed' };
  const says = `keys can be listed; ${left.length} scratch objects were left by killed processes, such as ${left[0]}`;
  return { name: 'listing', status: 'warning', says };
}

async function writing(store: Store, signal: AbortSignal): Promise<Check[]> {
  const key = `lode-doctor-${systemEnv.id()}`;
  const checks: Check[] = [];
  let there = false;
  try {
    checks.push(
      await check('conditional writes', async () => {
        // The probe proves the conditions before it lets the first conditional put through.
        await withProbe(store).put(key, 'doctor', { signal });
        there = true;
        return scopeText(store);
      }),
    );
    if (!there) return checks;
    checks.push(
      await check('reading', async () => {
        const object = await store.get(key, { signal });
        await object?.bytes();
        return object === undefined ? undefined : 'what was written is read back';
      }),
    );
    checks.push(await clock(store, key, signal));
    return checks;
  } finally {
    // Not on the signal: the scratch object goes even when the caller has.
    const [result] = await store.delete([key]);
    if (there)
      checks.push(
        result?.outcome === 'deleted'
          ? { name: 'deleting', status: 'ok', says: 'objects can be deleted' }
          : {
              name: 'deleting',
              status: 'warning',
              says: `${result?.error.message ?? 'no answer'}`,
            },
      );
  }
}

/** A failure that tells of the storage is its verdict; others end the command. */
async function check(name: string, work: () => Promise<string | undefined>): Promise<Check> {
  try {
    const says = await work();
    return says === undefined
      ? { name, status: 'failed', says: 'what was written is not there' }
      : { name, status: 'ok', says };
  } catch (error) {
    if (!isLodeError(error)) throw error;
    return { name, status: 'failed', says: `${error.message} [${error.code}]` };
  }
}

function scopeText({ capabilities }: Store): string {
  const { conditionalWrites, guardedPut } = capabilities;
  const how = guardedPut ? 'by locks and compare-and-swap' : 'by compare-and-swap';
  return conditionalWrites === 'all'
    ? `writers of all processes are kept apart, ${how}`
    : 'only writers of one process are kept apart';
}

async function clock(store: Store, key: string, signal: AbortSignal): Promise<Check> {
  const name = 'clock';
  const info = await store.head(key, { signal });
  if (info === undefined) return { name, status: 'failed', says: 'what was written is not there' };
  const skewMs = info.lastModifiedMs - Number(systemEnv.now() / 1_000_000n);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) < skewWarningMs)
    return { name, status: 'ok', says: 'storage and this machine agree on the time' };
  const says = `the storage is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine: set the clock`;
  return { name, status: 'warning', says };
}

/** What the store says of itself; the conformance suite is what holds it to that. */
function declared({ capabilities }: Store): Check[] {
  const { durable, conditionalWrites, orderedList } = capabilities;
  const checks: Check[] = [
    durable
      ? { name: 'durability', status: 'ok', says: 'what is acknowledged survives a power loss' }
      : {
          name: 'durability',
          status: 'warning',
          says: 'a power loss may take what was written last',
        },
    orderedList
      ? { name: 'order', status: 'ok', says: 'listings come in key order' }
      : { name: 'order', status: 'warning', says: 'listings come in no order' },
  ];
  if (conditionalWrites === 'all') return checks;
  const says =
    conditionalWrites === 'process'
      ? 'no lock between processes: two that write the same dataset can lose commits; on Linux, install the flock program'
      : 'no conditional writes: two writers can lose commits';
  return [...checks, { name: 'writers', status: 'failed', says }];
}
