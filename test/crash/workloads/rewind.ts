/**
 * A journal that is taken back to an earlier point. Cut short anywhere it is the one state, the other, or refuses to be opened until
 * the same call has gone on; and every byte that it had is still in some file.
 */
import assert from 'node:assert/strict';
import type { Disk } from '../../../src/disk/disk.ts';
import type { DiskImage } from '../../../src/disk/image.ts';
import type { Env } from '../../../src/env.ts';
import { isLodeError } from '../../../src/errors.ts';
import { openJournal, recover, type Journal, type JournalPoint } from '../../../src/journal.ts';
import { crashStates, recordingDisk } from '../../../src/testing/index.ts';
import { howItFailed, spansOf } from '../marks.ts';
import { labEnv, type Lab, type Workload } from '../workload.ts';

const dir = '/journal';
const count = 14;
/** The last event that stays: in the middle of a group, of a segment and behind a snapshot, with two snapshots behind it. */
const point = 6;

type Numbers = Journal<number[], number>;

function open(disk: Disk, env: Env): Promise<Numbers> {
  return openJournal<number[], number>(dir, {
    initial: () => [],
    apply: (numbers, number) => void numbers.push(number),
    snapshot: { keep: 4 },
    segmentBytes: 200,
    preallocateBytes: 0,
    reserveBytes: 0,
    disk,
    env,
  });
}

/** Killed in the end: the last segment has no seal. */
async function sample(): Promise<DiskImage> {
  const disk = recordingDisk({ env: labEnv(0) });
  await disk.makeDirectory(dir);
  await disk.syncDirectory('/');
  let journal = await open(disk, labEnv(0));
  for (let number = 1; number <= count; number += 2) {
    await Promise.all([number, number + 1].map((each) => journal.append(each)));
    if (number === 3 || number === 9) await journal.snapshot();
    if (number !== 7 && number !== 11) continue;
    await journal.close();
    journal = await open(disk, labEnv(0));
    if (number === 11) await journal.snapshot();
  }
  const from = disk.recording.entries.length;
  const [left] = crashStates(disk.recording, { from });
  assert.ok(left);
  return left.image;
}

const image = await sample();
const before = await filesOf(recordingDisk({ image }));

async function filesOf(disk: Disk): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name } of await disk.list(dir)) {
    const file = await disk.open(`${dir}/${name}`, 'read');
    const bytes = new Uint8Array((await file.info()).size);
    await file.read(bytes, 0);
    await file.close();
    files.set(name, bytes);
  }
  return files;
}

/** What the journal consisted of is there, under its name or set aside, or in two parts. */
async function assertKept(disk: Disk): Promise<void> {
  const files = await filesOf(disk);
  for (const [name, bytes] of before) {
    if (!/\.(log|snap)$/.test(name)) continue;
    const kin = [...files].filter(([other]) => other.startsWith(name));
    const isWhole = kin.some(([, other]) => Buffer.compare(other, bytes) === 0);
    const isKept = kin.some(([other, cut]) => {
      const at = Number(/\.cut-(\d+)/.exec(other)?.[1] ?? Number.NaN);
      const start = files.get(name)?.subarray(0, at) ?? new Uint8Array(0);
      return Buffer.compare(Buffer.concat([start, cut]), bytes) === 0;
    });
    // Sealed by an opening: it had no seal before.
    const isGrown = kin.some(([, other]) => Buffer.from(other).indexOf(bytes) === 0);
    assert.ok(isWhole || isKept || isGrown, `${name} is lost`);
  }
}

async function rewound(lab: Lab, until: JournalPoint): Promise<void> {
  lab.mark('begin 0');
  try {
    const { lsn } = await recover(dir, { until, disk: lab.disk });
    lab.mark(lsn === point ? 'ack 0' : `untyped went back to ${lsn}`);
  } catch (error) {
    lab.mark(`${howItFailed(error)} 0 ${String(error)}`);
  }
}

async function append({ disk, env, mark }: Lab, number: number): Promise<void> {
  mark(`begin ${number}`);
  let journal: Numbers | undefined;
  try {
    journal = await open(disk, env);
    await journal.append(number);
    mark(`ack ${number}`);
  } catch (error) {
    mark(`${howItFailed(error)} ${number} ${String(error)}`);
  }
  await journal?.close().catch((error: unknown) => {
    if (howItFailed(error) === 'untyped') mark(`untyped ${String(error)}`);
  });
}

function rewindWorkload(name: string, until: JournalPoint): Workload {
  return {
    name: `journal: ${name}`,
    image,
    isRestless: true,
    async run(lab) {
      await rewound(lab, until);
      await append(lab, 101);
    },
    async resume(lab) {
      const isBack = await open(lab.disk, lab.env).then(
        async (journal) => {
          const { state } = journal;
          await journal.close();
          return state[point] !== point + 1;
        },
        () => false,
      );
      if (!isBack) await rewound(lab, until);
      await append(lab, 201);
    },
    async verify(disk, marks) {
      await assertKept(disk);
      const spans = spansOf(marks);
      const isDone = spans.get(0)?.outcome === 'ack';
      const journal = await open(disk, labEnv(0)).catch(async (error: unknown) => {
        const isHalf =
          isLodeError(error, 'LODE_TRUNCATED') && error.details.key === `${dir}/rewinding`;
        assert.ok(isHalf && !isDone, `cannot be opened: ${String(error)}`);
        assert.equal((await recover(dir, { until, disk })).lsn, point);
        return open(disk, labEnv(0));
      });
      const { state } = journal;
      assert.deepEqual((await journal.verify()).problems, []);
      await journal.close();
      await assertKept(disk);
      const isBack = state[point] !== point + 1;
      assert.ok(isBack || !isDone, 'it is where it was');
      const kept = isBack ? point : count;
      const expected = Array.from({ length: kept }, (_, i) => i + 1);
      assert.deepEqual(state.slice(0, kept), expected, 'the state is that of a point');
      for (const [number, { outcome }] of spans) {
        if (number === 0) continue;
        const isThere = state.includes(number, kept);
        assert.ok(isThere || outcome !== 'ack', `event ${number} is lost`);
        assert.ok(!isThere || outcome !== 'fail', `event ${number} was refused, and is there`);
      }
      assert.ok(
        state.slice(kept).every((number) => spans.has(number)),
        'nobody appended that',
      );
    },
    rules: { published: (path) => /\.(log|snap)$/.test(path) },
  };
}

export const rewindWorkloads: readonly Workload[] = [
  rewindWorkload('taken back to an event', { lsn: point }),
];
