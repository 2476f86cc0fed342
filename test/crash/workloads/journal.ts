/** Work on a journal: events alone and together, checked ones, snapshots and what they let go of. The state has to be that of its events. */
import assert from 'node:assert/strict';
import type { Disk } from '../../../src/disk/disk.ts';
import type { Env } from '../../../src/env.ts';
import { crc32c, openJournal, type Journal, type JournalOptions } from '../../../src/journal.ts';
import { howItFailed, spansOf } from '../marks.ts';
import { labEnv, type Lab, type Workload } from '../workload.ts';

const dir = '/journal';

interface Event {
  readonly number: number;
  readonly filler: string;
}

/** Its length follows from the number, so that a baseline can be made without the log. */
function eventOf(number: number): Event {
  return { number, filler: 'x'.repeat((number * 37) % 90) };
}

/** Events in their order, and a digest that any other order, omission or repetition changes. */
interface State {
  readonly numbers: number[];
  digest: number;
}

type Options = Partial<JournalOptions<State, Event>>;

const initial = (): State => ({ numbers: [], digest: 0 });

function apply(state: State, { number, filler }: Event, lsn: number): void {
  state.digest = crc32c(new TextEncoder().encode(`${number}/${filler}/${lsn}`), state.digest);
  state.numbers.push(number);
}

async function openIn(disk: Disk, env: Env, options: Options): Promise<Journal<State, Event>> {
  await disk.makeDirectory(dir);
  return openJournal<State, Event>(dir, {
    initial,
    apply,
    check: ({ numbers }, { number }) => {
      assert.ok(!numbers.includes(number), `event ${number} again`);
    },
    preallocateBytes: 0,
    reserveBytes: 0,
    disk,
    env,
    ...options,
  });
}

/** A journal that marks what it promises; after a failure it is opened again, as a program would. */
class MarkedJournal {
  readonly #lab: Lab;
  readonly #options: Options;
  #number: number;
  #isBusy = false;
  #journal: Journal<State, Event> | undefined;
  #opening: Promise<Journal<State, Event> | undefined> | undefined;

  constructor(lab: Lab, options: Options, number: number) {
    this.#lab = lab;
    this.#options = options;
    this.#number = number;
  }

  /** Undefined when the disk does not allow it. */
  open(): Promise<Journal<State, Event> | undefined> {
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<Journal<State, Event> | undefined> {
    if (this.#journal !== undefined && this.#journal.failure === undefined) return this.#journal;
    try {
      await this.close();
      this.#journal = await openIn(this.#lab.disk, this.#lab.env, this.#options);
    } catch (error) {
      this.#other(error);
    }
    return this.#journal;
  }

  async append(): Promise<void> {
    const journal = await this.open();
    if (journal === undefined) return;
    const number = this.#number++;
    this.#lab.mark(`begin ${number}`);
    try {
      const { lsn } = await journal.append(eventOf(number));
      // While one segment is being sealed and another made, the bytes of others are on their way.
      this.#lab.mark(`ack ${number} ${this.#isBusy ? '' : await this.#lastSegment()}`);
      if (journal.state.numbers[lsn - 1] !== number) this.#lab.mark(`untyped not in the state`);
    } catch (error) {
      this.#lab.mark(`${howItFailed(error)} ${number} ${String(error)}`);
    }
  }

  async #lastSegment(): Promise<string> {
    const names = await this.#lab.disk.list(dir).catch(() => []);
    return (
      names
        .map(({ name }) => name)
        .filter((name) => name.endsWith('.log'))
        .sort()
        .at(-1) ?? ''
    );
  }

  async snapshot(): Promise<void> {
    this.#isBusy = true;
    try {
      await (await this.open())?.snapshot();
    } catch (error) {
      this.#other(error);
    }
    this.#isBusy = false;
  }

  async close(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close().catch((error: unknown) => this.#other(error));
  }

  /** Of what acknowledges nothing, only that it failed as it should. */
  #other(error: unknown): void {
    if (howItFailed(error) === 'untyped') this.#lab.mark(`untyped ${String(error)}`);
  }
}

interface Script {
  readonly name: string;
  readonly options?: Options;
  readonly work: (journal: MarkedJournal) => Promise<void>;
}

function journalWorkload({ name, options = {}, work }: Script): Workload {
  const run = async (lab: Lab, first: number): Promise<void> => {
    const journal = new MarkedJournal(lab, options, first);
    await work(journal);
    await journal.close();
  };
  return {
    name: `journal: ${name}`,
    isRestless: true,
    run: (lab) => run(lab, 1),
    resume: (lab) => run(lab, 1001),
    async verify(disk, marks) {
      const journal = await openIn(disk, labEnv(0), options);
      const { state } = journal;
      const { problems } = await journal.verify();
      assert.deepEqual(problems, [], 'everything on the disk verifies');
      await journal.close();
      const found = new Set(state.numbers);
      assert.equal(found.size, state.numbers.length, 'nothing is there twice');
      assert.equal(journal.lsn, state.numbers.length, 'the state has every event of the log');
      const spans = spansOf(marks);
      const baseline = initial();
      for (const [i, number] of state.numbers.entries()) {
        const span = spans.get(number);
        assert.ok(span, `event ${number} was never appended`);
        assert.notEqual(span.outcome, 'fail', `event ${number} was refused, and is there`);
        apply(baseline, eventOf(number), i + 1);
      }
      for (const [number, { outcome }] of spans) {
        if (outcome === 'ack') assert.ok(found.has(number), `event ${number} is lost`);
      }
      assert.equal(state.digest, baseline.digest, 'the state is that of its events');
    },
    rules: {
      // The last segment, as it is when the event is acknowledged.
      promised(label) {
        const [what, , segment] = label.split(' ');
        return what === 'ack' && segment !== '' ? [`${dir}/${segment}`] : [];
      },
      published: (path) => /\.(log|snap)$|reserve$/.test(path),
    },
  };
}

const together = async (journal: MarkedJournal, count: number): Promise<void> => {
  await Promise.all(Array.from({ length: count }, () => journal.append()));
};

export const journalWorkloads: readonly Workload[] = [
  {
    name: 'events that share a sync, closed and opened',
    work: async (journal: MarkedJournal): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await journal.append();
        await together(journal, 3);
        await journal.close();
      }
    },
  },
  {
    name: 'snapshots between events',
    options: { segmentBytes: 300 },
    work: async (journal: MarkedJournal): Promise<void> => {
      for (let i = 0; i < 4; i++) {
        await together(journal, 2);
        await Promise.all([journal.snapshot(), journal.append()]);
        await journal.append();
      }
    },
  },
  {
    name: 'one snapshot that replaces another',
    options: { snapshot: { keep: 1 }, reserveBytes: 64 },
    work: async (journal: MarkedJournal): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await together(journal, 2);
        await journal.snapshot();
      }
    },
  },
  {
    name: 'a sync for each, snapshots by themselves',
    options: { durability: 'each' as const, snapshot: { everyRecords: 3, keep: 1 } },
    work: async (journal: MarkedJournal): Promise<void> => {
      for (let i = 0; i < 4; i++) await together(journal, 2);
    },
  },
].map(journalWorkload);
