/** What the scene of journals keeps: departures and delays of each airport. */
import { openJournal } from 'lode/journal';
import type { Journal } from 'lode/journal';
import type { Flight } from './flights.ts';

export type Delays = Record<string, { departures: number; minutes: number }>;
export type Departure = Pick<Flight, 'origin' | 'delay'>;

export function openDelays(directory: string): Promise<Journal<Delays, Departure>> {
  return openJournal<Delays, Departure>(directory, {
    initial: () => ({}),
    apply: count,
    snapshot: { everyRecords: 2000 },
  });
}

export function count(delays: Delays, { origin, delay }: Departure): void {
  const airport = (delays[origin] ??= { departures: 0, minutes: 0 });
  airport.departures++;
  airport.minutes += delay;
}
