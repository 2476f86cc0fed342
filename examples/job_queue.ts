/**
 * A queue of jobs that loses none: a job is added, taken and done by events of a journal. A worker that dies keeps its job until its
 * time is over; then another one gets it. The clock is read before an event is made: `apply` sees only what the event says.
 */
import assert from 'node:assert/strict';
import { openJournal } from 'lode/journal';
import type { Journal } from 'lode/journal';
import { temporaryDirectory } from './temporary.ts';

type Job = { readonly work: string; untilMs: number };
type Jobs = Record<string, Job>;
type Event =
  | { readonly type: 'add'; readonly work: string }
  | { readonly type: 'take'; readonly id: string; readonly atMs: number; readonly untilMs: number }
  | { readonly type: 'done'; readonly id: string };

function openQueue(directory: string): Promise<Journal<Jobs, Event>> {
  return openJournal<Jobs, Event>(directory, {
    initial: () => ({}),
    apply(jobs, event, lsn) {
      const job = event.type === 'add' ? undefined : jobs[event.id];
      if (event.type === 'add') jobs[lsn] = { work: event.work, untilMs: 0 };
      else if (event.type === 'done') delete jobs[event.id];
      else if (job !== undefined) job.untilMs = event.untilMs;
    },
    // Sees all events accepted so far: of two workers that want one job, one is refused, and nothing of it is logged.
    check(jobs, event) {
      if (event.type === 'add') return;
      const job = jobs[event.id];
      if (job === undefined) throw new Error(`job ${event.id} is done`);
      if (event.type === 'take' && job.untilMs > event.atMs) throw new Error('somebody has it');
    },
  });
}

/** A job that nobody has, or had for longer than was agreed. Taking it is durable before it is begun. */
async function take(queue: Journal<Jobs, Event>, atMs: number, forMs = 1000): Promise<string> {
  const [id] = Object.entries(queue.accepted).find(([, job]) => job.untilMs <= atMs) ?? [];
  if (id === undefined) throw new Error('nothing to do');
  await queue.append({ type: 'take', id, atMs, untilMs: atMs + forMs });
  return id;
}

await using directory = await temporaryDirectory();
let queue = await openQueue(directory.path);
const works = ['wash', 'rinse', 'spin'];
await Promise.all(works.map((work) => queue.append({ type: 'add', work })));
const taken = await Promise.all([take(queue, 0), take(queue, 0)]);
assert.equal(new Set(taken).size, 2);
await queue.append({ type: 'done', id: taken[0] ?? '' });
await queue.close();

// Whoever comes next finds the job that is left, and after its time the one that was taken and not done.
queue = await openQueue(directory.path);
const late = [await take(queue, 5000), await take(queue, 5000)];
assert.deepEqual(new Set(late.map((id) => queue.state[id]?.work)), new Set(['rinse', 'spin']));
await assert.rejects(take(queue, 5000), /nothing to do/);
console.log(late.map((id) => `${id}: ${queue.state[id]?.work}`).join(', '));
await queue.close();
