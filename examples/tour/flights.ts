/** Real data for the tour: flights of 2001, from the `vega-datasets` package. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Flight {
  /** Calendar day of departure, `2001-01-31`. */
  readonly day: string;
  /** Local time of departure as the source gives it, read as UTC. */
  readonly departed: Date;
  /** Minutes. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface SourceFlight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export async function flights(): Promise<Flight[]> {
  const text = await readFile(sourceFile('flights-20k.json'), 'utf8');
  return (JSON.parse(text) as SourceFlight[]).map(({ date, ...flight }) => {
    const [day = '', time = ''] = date.replaceAll('/', '-').split(' ');
    return { day, departed: new Date(`${day}T${time}:00Z`), ...flight };
  });
}

/** Path of a file of the package. */
export function sourceFile(name: string): string {
  const build = dirname(createRequire(import.meta.url).resolve('vega-datasets'));
  return join(build, '..', 'data', name);
}
