/**
 * The process that the scene of journals kills: appends flights, many at a time, and prints the LSN of each that is durable.
 * `node dist/examples/tour/journal-writer.js DIRECTORY`.
 */
import { openDelays } from './delays.ts';
import { flights } from './flights.ts';

const journal = await openDelays(process.argv[2] ?? '');
const waiting = new Set<Promise<void>>();
for (const { origin, delay } of await flights()) {
  const done = journal.append({ origin, delay }).then(({ lsn }) => console.log(lsn));
  waiting.add(done);
  void done.then(() => waiting.delete(done));
  if (waiting.size >= 64) await Promise.race(waiting);
}
await Promise.all(waiting);
await journal.close();
