/** One of our writers in a race, as a process of its own: `race-worker.js SPEC`, the twin of the Go program's `race`. */
import { once } from 'node:events';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, jsonl, openDataset } from '../../src/index.ts';

interface Spec {
  readonly root: string;
  readonly dataset: string;
  readonly commits: number;
  readonly writer: string;
}

const { root, dataset, commits, writer } = JSON.parse(process.argv[2] ?? '') as Spec;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const ours = await openDataset(dataset, {
  store: fsStore(root),
  codec: jsonl(),
  retry: { attempts: 20 },
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
