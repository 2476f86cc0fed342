/** A process that appends to a log until it is killed, and prints the LSN of each record once that is durable. */
import { openWal } from '../../../src/journal.ts';

const [dir = ''] = process.argv.slice(2);
const wal = await openWal(dir, { segmentBytes: 20_000, reserveBytes: 0 });
process.stdout.write(`open ${wal.nextLsn - 1}\n`);
for (;;) {
  const appended = [1, 10, 300].map((size) => wal.append(Buffer.alloc(size, size & 0xff)));
  await appended.at(-1)?.durable;
  process.stdout.write(`${appended.at(-1)?.lsn}\n`);
}
