/**
 * The state of a journal, and what is on its way into it.
 *
 * `state` holds the events that are durable, and no others. Those accepted and not yet durable wait; whoever asks for the state with
 * them in it gets a second copy, made when it is first needed.
 *
 * What `apply` is given has always been through the codec: now and on every replay the same.
 */
import { LodeError } from '../../errors.ts';
import type { JournalCodecs } from './codec.ts';
import type { JournalOptions } from './options.ts';

export class Machine<State, Event> {
  readonly #codecs: JournalCodecs<State, Event>;
  readonly #apply: JournalOptions<State, Event>['apply'];
  readonly #dir: string;
  #state: State;
  #lsn: number;
  /** Events that have their places in the log, by LSN: from the one behind `#lsn` on, without gaps. */
  readonly #waiting = new Map<number, Uint8Array>();
  #ahead: { state: State; lsn: number } | undefined;
  #failure: LodeError | undefined;

  constructor(
    codecs: JournalCodecs<State, Event>,
    apply: JournalOptions<State, Event>['apply'],
    dir: string,
    state: State,
    lsn: number,
  ) {
    this.#codecs = codecs;
    this.#apply = apply;
    this.#dir = dir;
    this.#state = state;
    this.#lsn = lsn;
  }

  /** Throws once `apply` has thrown: nobody knows what it left. */
  get state(): State {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#state;
  }

  /** The last event in `state`. */
  get lsn(): number {
    return this.#lsn;
  }

  get failure(): LodeError | undefined {
    return this.#failure;
  }

  /** The state with all that was accepted. The same object as `state` when nothing waits. */
  get accepted(): State {
    if (this.#waiting.size === 0) return this.state;
    this.#ahead ??= { state: this.copy(), lsn: this.#lsn };
    this.#advance(this.#ahead, Infinity);
    return this.#ahead.state;
  }

  /** A copy by way of the codec. */
  copy(): State {
    return this.#codecs.state.decode(this.#codecs.state.encode(this.state));
  }

  /** Puts a record of the log into the state, while opening. */
  replay(lsn: number, bytes: Uint8Array): void {
    const event = this.#decoded(lsn, bytes);
    try {
      this.#state = this.#after(this.#state, event, lsn);
    } catch (cause) {
      const next = 'Open the journal with an apply that takes this event, or until an earlier LSN.';
      const what = 'apply threw on a record of the log';
      throw new LodeError('LODE_INVALID_RECORD', what, { key: this.#dir, lsn, next }, { cause });
    }
    this.#lsn = lsn;
  }

  /** The state goes on under a later number: what was between is lost. */
  skipTo(lsn: number): void {
    this.#lsn = lsn;
  }

  accept(lsn: number, bytes: Uint8Array): void {
    this.#waiting.set(lsn, bytes);
  }

  /** Events from this one on were accepted and are not in the log after all. */
  dropFrom(lsn: number): void {
    const last = this.#lsn + this.#waiting.size;
    if (last < lsn) return;
    for (let at = last; at >= lsn; at--) this.#waiting.delete(at);
    this.#ahead = undefined;
  }

  /** Events up to this one are durable. Throws when `apply` does. */
  settle(lsn: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    for (let at = this.#lsn + 1; at <= lsn; at++) {
      const bytes = this.#waiting.get(at);
      if (bytes === undefined) return;
      if (this.#ahead !== undefined && this.#ahead.lsn < at) this.#advance(this.#ahead, at);
      this.#state = this.#run(this.#state, at, bytes);
      this.#lsn = at;
      this.#waiting.delete(at);
    }
  }

  #decoded(lsn: number, bytes: Uint8Array): Event {
    try {
      return this.#codecs.event.decode(bytes);
    } catch (cause) {
      const what = 'the codec cannot read a record of the log';
      const expected = this.#codecs.event.name;
      const next = 'Open the journal with the codec that wrote it.';
      const details = { key: this.#dir, lsn, expected, next };
      throw new LodeError('LODE_INVALID_FORMAT', what, details, { cause });
    }
  }

  #advance(ahead: { state: State; lsn: number }, to: number): void {
    for (let lsn = ahead.lsn + 1; lsn <= to; lsn++) {
      const bytes = this.#waiting.get(lsn);
      if (bytes === undefined) return;
      ahead.state = this.#run(ahead.state, lsn, bytes);
      ahead.lsn = lsn;
    }
  }

  #run(state: State, lsn: number, bytes: Uint8Array): State {
    try {
      return this.#after(state, this.#codecs.event.decode(bytes), lsn);
    } catch (cause) {
      const what = 'apply threw on an event that is in the log';
      const next = 'Close the journal, and open it with an apply that takes this event.';
      this.#failure ??= new LodeError(
        'LODE_POISONED',
        what,
        { key: this.#dir, lsn, next },
        { cause },
      );
      throw this.#failure;
    }
  }

  #after(state: State, event: Event, lsn: number): State {
    const result = assertDone(this.#apply(state, event, lsn), 'apply');
    return result === undefined ? state : result;
  }
}

/** Nobody waits for a promise: what it decides would come too late. */
export function assertDone<T>(result: T, field: string): T {
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new LodeError('LODE_INVALID_ARGUMENT', `${field} returned a promise`, {
    field,
    expected: 'a function that is done when it returns',
  });
}
