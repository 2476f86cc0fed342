/** One of our writers in a race, as a process of its own: `race-worker.js SPEC`, the twin of the Go program's `race`. */
import { once } from 'node:events';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, jsonl, openDataset } from '../../src/index.ts';
import { bucketStore } from './bucket-store.ts';
import type { GoBucket } from './go-peer.ts';

interface Spec {
  readonly root?: string;
  /** In place of a directory. */
  readonly s3?: GoBucket;
  readonly peers?: 'go';
  readonly dataset: string;
  readonly commits: number;
  readonly writer: string;
}

const {
  root = '',
  s3,
  peers,
  dataset,
  commits,
  writer,
} = JSON.parse(process.argv[2] ?? '') as Spec;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const bucket = s3 && bucketStore(s3);
const ours = await openDataset(dataset, {
  store: bucket ?? fsStore(root),
  codec: jsonl(),
  // In a bucket nobody has the lock: who steps aside for long meets nobody.
  retry: bucket ? { attempts: 60, baseDelayMs: 2, maxDelayMs: 20 } : { attempts: 20 },
  ...(peers === undefined ? {} : { peers }),
});
say({ ready: true });
await once(process.stdin, 'data');
for (let n = 0, made = 0; made < commits && n < commits * 20; n++) {
  try {
    const { id } = await ours.write([{ writer, n }], { writer, n });
    made++;
    say({ acked: id });
  } catch (error) {
    say({ failed: isLodeError(error) ? error.code : String(error) });
    await ours.latest().catch(() => undefined);
  }
}
say({ done: true });
process.stdin.destroy();
await bucket?.close();
