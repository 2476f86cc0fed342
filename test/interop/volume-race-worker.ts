/** One of our writers in a race for a volume, as a process of its own: the twin of the Go program's `race-volume`. */
import { once } from 'node:events';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, md5, openVolume } from '../../src/index.ts';
import { bucketStore } from './bucket-store.ts';
import { placed } from './go-volume.ts';
import type { VolumeRacerSpec } from './volume-race.ts';

const spec = JSON.parse(process.argv[2] ?? '') as VolumeRacerSpec;
const { root = '', s3, volume: id, length, peers, commits, block, first, stride, writer } = spec;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const bucket = s3 && bucketStore(s3);
const volume = await openVolume(id, {
  store: bucket ?? fsStore(root),
  length,
  checksum: md5(),
  retry: { attempts: 20 },
  ...(peers === undefined ? {} : { peers }),
});
say({ ready: true });
await once(process.stdin, 'data');
for (let n = 0; n < commits; n++) {
  const offset = (first + n * stride) * block;
  const staged = await volume.stageWriteAt(offset, placed(offset, block));
  for (let tries = 0; tries < 100; tries++) {
    try {
      const { id: acked } = await volume.commit([staged], { writer });
      say({ acked, offset });
      break;
    } catch (error) {
      say({ failed: isLodeError(error) ? error.code : String(error), offset });
    }
  }
}
say({ done: true });
process.stdin.destroy();
await bucket?.close();
