/** At risk: an upload that has to begin again, and a gap that reads as bytes. The volume commands, as a process sees them. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openDataset } from '../../src/index.ts';
import { bench, diskImage, fill, lode, lodeJson } from './program.ts';
import type { Bench, Ran } from './program.ts';

interface Range {
  readonly offset: number;
  readonly length: number;
}

describe('lode and volumes', () => {
  let at: Bench;
  before(async () => {
    at = bench();
    await fill(at.store);
  });
  after(() => at[Symbol.dispose]());
  const run = (...args: string[]): Promise<Ran> =>
    lode(args, { cwd: at.folder, env: { COLUMNS: '40' } });
  const document = async <T>(...args: string[]): Promise<T> =>
    (await lodeJson(args, { cwd: at.folder })) as T;
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  };

  it('ls, log, show and diff know them', async () => {
    assert.deepEqual(await lines('ls', 'data', '--kind', 'volume'), ['disk']);
    const [line = ''] = await lines('ls', 'data', '-l', '--kind', 'volume');
    assert.match(line, /^disk {2}volume {2}2026-\S+ {2}3 blocks {2}37 kB of 66 kB$/);
    const ls = await document<{ volumes: object[] }>('ls', 'data', '--long');
    assert.deepEqual(
      ls.volumes.map((facts) => Object.keys(facts)),
      [['id', 'latest']],
    );
    const log = await document<{ volume: string; snapshots: { blocks: number; bytes: number }[] }>(
      'log',
      'data',
      'disk',
    );
    assert.equal(log.volume, 'disk');
    assert.deepEqual(
      log.snapshots.map(({ blocks, bytes }) => [blocks, bytes]),
      [
        [3, 36864],
        [2, 20480],
      ],
    );
    const shown = await lines('show', 'data', 'disk');
    assert.match(shown.at(-1) ?? '', /^ {2}49152\+16384 {2}16 kB {2}sha256:[0-9a-f]{64}$/);
    assert.deepEqual((await lines('diff', 'data', 'disk')).slice(-3), [
      'there 20480 to 36864 of 65536 B (+16384)',
      '+ 49152+16384  16 kB',
      '1 block added, 0 removed, 2 kept',
    ]);
    const [newer = '', older = ''] = (await lines('log', 'data', 'disk')).map((entry) =>
      entry.slice(0, 19),
    );
    const back = await lines('diff', 'data', 'disk', newer, older);
    assert.equal(back.at(-1), '0 blocks added, 1 removed, 2 kept');
    assert.deepEqual((await document<{ volumes: object[] }>('repair', 'data', 'disk')).volumes, [
      { volume: 'disk', keys: [] },
    ]);
  });

  it('a name that a dataset and a volume have is asked back', async () => {
    using other = bench();
    await fill(other.store);
    await (await openDataset('disk', { store: other.store })).write([new Uint8Array(1)]);
    const log = (...more: string[]): Promise<Ran> =>
      lode(['log', 'data', 'disk', ...more], { cwd: other.folder });
    assert.match((await log()).stderr, /choose one with --kind/);
    assert.match((await log('--kind', 'dataset')).stdout, /1 file {2}1 B/);
    assert.match((await log('--kind', 'volume')).stdout, /3 blocks/);
  });

  it('map is as wide as it may be, and tells every gap', async () => {
    const shown = await lines('volume', 'map', 'data', 'disk');
    const picture = shown.slice(shown.indexOf('') + 1, -1);
    const [full, none] = ['█'.repeat(32), '·'.repeat(32)];
    const half = '█'.repeat(16) + '·'.repeat(16);
    assert.deepEqual(
      picture.map((line) => line.slice(7)),
      [full, full, none, none, half, none, full, full],
    );
    assert.equal(picture[1]?.slice(0, 7), ' 8192  ');
    assert.equal(shown.at(-1), 'a character is 256 B: █ there, ░▒▓ in part, · missing');
    const gaps = await lines('volume', 'map', 'data', 'disk', '--missing');
    assert.deepEqual(gaps, ['16384+16384', '36864+12288']);
    const map = await document<Record<string, unknown>>('volume', 'map', 'data', 'disk');
    assert.deepEqual(
      [map['coveredBytes'], map['missingBytes'], map['missing']],
      [
        36864,
        28672,
        [
          { offset: 16384, length: 16384 },
          { offset: 36864, length: 12288 },
        ],
      ],
    );
  });

  it('read gives the bytes of a range, and none of one with gaps', async () => {
    const read = (range: string, ...more: string[]): Promise<Ran> =>
      run('volume', 'read', 'data', 'disk', '--range', range, ...more);
    const image = new TextDecoder().decode(diskImage());
    assert.equal((await read('16-48')).stdout, image.slice(16, 48));
    assert.equal((await read('32KiB+4KiB')).stdout, image.slice(32768, 36864));
    assert.equal((await read('60kB-', '--partial')).stdout, image.slice(60_000));
    const gap = await read('16383-49153');
    assert.deepEqual([gap.code, gap.stdout], [3, '']);
    assert.match(
      gap.stderr,
      /\nmissing 16384\+16384\nmissing 36864\+12288\n\[LODE_RANGE_MISSING\]/,
    );
    const told = await run('volume', 'map', 'data', 'nobody', '--json');
    assert.equal(
      (JSON.parse(told.stderr) as { error: Range & { volume: string } }).error.volume,
      'nobody',
    );
  });

  it('read verifies all it gives, unless it is to fetch parts', async () => {
    using other = bench();
    await fill(other.store);
    const key = other.path('volumes/disk/data/0-16384.bin');
    writeFileSync(key, readFileSync(key).fill(0, 0, 1));
    const read = (...more: string[]): Promise<Ran> =>
      lode(['volume', 'read', 'data', 'disk', '--range', '16-32', ...more], { cwd: other.folder });
    assert.equal((await read()).code, 5);
    assert.equal((await read('--partial')).code, 0);
  });

  it('fill uploads what is missing, and nothing twice', async () => {
    const filled = (...args: string[]): Promise<Record<string, unknown>> =>
      document('volume', 'fill', 'data', ...args);
    const plan = await filled('disk', 'disk.img', '--dry-run');
    assert.deepEqual(
      [plan['dryRun'], plan['uploadedBytes'], plan['missingBytes']],
      [true, 0, 28672],
    );
    const first = await filled('disk', 'disk.img', '--block', '8KiB', '--batch', '12KiB');
    const { uploadedBytes, blocks, commits, missingBytes } = first;
    assert.deepEqual([uploadedBytes, blocks, commits, missingBytes], [28672, 4, 2, 0]);
    const again = await run('volume', 'fill', 'data', 'disk', 'disk.img');
    assert.equal(again.stderr, 'disk: nothing to upload; 100 % is there\n');
    const image = new TextDecoder().decode(diskImage());
    assert.equal((await run('volume', 'read', 'data', 'disk')).stdout, image);
  });

  it('fill makes a volume as long as its file, or takes the file for a part', async () => {
    const image = join(at.folder, 'part.img');
    writeFileSync(image, 'x'.repeat(1000));
    assert.equal((await run('volume', 'fill', 'data', 'new', 'part.img')).code, 0);
    assert.equal(
      (await document<{ length: number }>('volume', 'map', 'data', 'new'))['length'],
      undefined,
    );
    const part = (...more: string[]): Promise<Ran> =>
      run('volume', 'fill', 'data', 'parts', 'part.img', ...more);
    const wrong = await part('--length', '3kB');
    assert.deepEqual([wrong.code, /not as long as the volume/.test(wrong.stderr)], [2, true]);
    assert.equal((await part('--length', '3kB', '--offset', '2kB')).code, 0);
    assert.equal((await part('--length', '4kB', '--offset', '0')).code, 2);
    assert.match((await part('--offset', '2001')).stderr, /beyond the end/);
    assert.match((await part('--offset', '0')).stderr, /66(\.\d)? % is there/);
    assert.deepEqual(await lines('volume', 'map', 'data', 'parts', '--missing'), ['1000+1000']);
  });

  it('fill that is interrupted commits what it has, and goes on the next time', async () => {
    const image = new Uint8Array(4 << 20).map((_, i) => (i >> 9) & 127);
    writeFileSync(join(at.folder, 'big.img'), image);
    // Before the first block, so that there is something to watch.
    mkdirSync(at.path('volumes/big/data'), { recursive: true });
    const fillBig = (onStart?: (child: ChildProcess) => Promise<void>): Promise<Ran> =>
      lode(['volume', 'fill', 'data', 'big', 'big.img', '--block', '4KiB'], {
        cwd: at.folder,
        ...(onStart && { onStart }),
      });
    const stopped = await fillBig(async (child) => {
      const seen = new Set<string>();
      const blocks = watch(at.path('volumes/big/data'), (_, name) => {
        if (name?.endsWith('.bin') !== true || seen.add(name).size < 20) return;
        blocks.close();
        child.kill('SIGINT');
      });
    });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(
      stopped.stderr,
      /stopping; .*\nbig: .* 1 commit; .* % is there; the same call goes on\n$/,
    );
    const before = await document<{ coveredBytes: number }>('volume', 'map', 'data', 'big');
    assert.ok(before.coveredBytes > 0 && before.coveredBytes < image.length);
    const { code, stderr } = await fillBig();
    assert.deepEqual([code, /100 % is there/.test(stderr)], [0, true]);
    const out = await lode(['volume', 'read', 'data', 'big', '--quiet'], { cwd: at.folder });
    assert.deepEqual([out.code, out.stdout.length], [0, image.length]);
  });

  it('materialize makes the file, or goes on with it, and takes no hole for granted', async () => {
    using other = bench();
    await fill(other.store);
    const materialize = (...more: string[]): Promise<Ran> =>
      lode(['volume', 'materialize', 'data', 'disk', 'copy.img', ...more], { cwd: other.folder });
    const copy = join(other.folder, 'copy.img');
    const refused = await materialize();
    assert.deepEqual([refused.code, existsSync(copy)], [3, false]);
    assert.match(refused.stderr, /\nmissing 16384\+16384\nmissing 36864\+12288\n/);
    const some = await materialize('--range', '0-16KiB');
    assert.deepEqual([some.code, statSync(copy).size], [0, 65536]);
    const { stderr } = await materialize('--holes');
    assert.equal(
      stderr,
      'disk in copy.img: 3 blocks, 20 kB copied, 16 kB there already; 2 holes for what is missing\n',
    );
    await lode(['volume', 'fill', 'data', 'disk', 'disk.img'], { cwd: other.folder });
    const told = await lodeJson(['volume', 'materialize', 'data', 'disk', 'copy.img'], {
      cwd: other.folder,
    });
    const { keptBytes, copiedBytes, gaps } = told as Record<string, unknown>;
    assert.deepEqual([keptBytes, copiedBytes, gaps], [36864, 28672, []]);
    assert.deepEqual(readFileSync(copy), Buffer.from(diskImage()));
    writeFileSync(copy, 'precious');
    assert.equal((await materialize()).code, 2);
    assert.equal(readFileSync(copy, 'utf8'), 'precious');
  });

  it('verify names damaged blocks, and a head that tells nothing any more', async () => {
    using other = bench();
    await fill(other.store);
    const verify = (...args: string[]): Promise<Ran> =>
      lode(['verify', 'data', ...args], { cwd: other.folder });
    const clean = await verify('disk');
    assert.deepEqual([clean.code, clean.stdout], [0, '']);
    assert.match(clean.stderr, /^disk: 2 snapshots, \d+ objects, 37 kB: all as committed\n$/);
    const block = other.path('volumes/disk/data/0-16384.bin');
    writeFileSync(block, readFileSync(block).subarray(1));
    const damaged = await verify('disk', '--json');
    const { volumes } = JSON.parse(damaged.stdout) as { volumes: { problems: object[] }[] };
    assert.deepEqual([damaged.code, volumes[0]?.problems.length], [5, 1]);
    const id = readFileSync(other.path('volumes/disk/latest'), 'utf8');
    writeFileSync(other.path(`volumes/disk/snapshots/${id}/manifest.json`), 'x');
    const headless = await verify();
    assert.equal(headless.code, 5);
    assert.match(headless.stdout, /^volumes\/disk\/snapshots\/\d+\/manifest\.json {2}LODE_/m);
    assert.match(headless.stderr, /^backup: .* all as committed$/m);
  });

  it('a volume whose only manifest is lost is not taken for an empty one', async () => {
    using other = bench();
    await fill(other.store);
    const cwd = other.folder;
    await lode(['volume', 'fill', 'data', 'new', 'disk.img'], { cwd });
    rmSync(other.path('volumes/new/snapshots'), { recursive: true });
    for (const args of [[], ['new']]) {
      const { code, stdout } = await lode(['verify', 'data', ...args], { cwd });
      assert.deepEqual([code, /^volumes\/new\/latest {2}LODE_NOT_FOUND/m.test(stdout)], [5, true]);
    }
    assert.equal((await lode(['repair', 'data', 'new', '--apply'], { cwd })).code, 3);
    assert.equal((await lode(['gc', 'data', 'new', '--apply'], { cwd })).code, 3);
    assert.ok(!existsSync(other.path('volumes/new/snapshots')));
    // Its blocks are all there: the same call brings it back.
    assert.match(
      (await lode(['volume', 'fill', 'data', 'new', 'disk.img'], { cwd })).stderr,
      /66 kB in 1 block, 1 of them there already, 1 commit; 100 % is there/,
    );
  });

  it('gc deletes blocks that nobody committed, of volumes without any commit too', async () => {
    using other = bench();
    await fill(other.store);
    const keys = ['volumes/disk/data/16384-15.bin', 'volumes/never/data/0-15.bin'];
    for (const key of keys) other.orphan(key);
    const cwd = other.folder;
    assert.match(
      (await lode(['ls', 'data', '-l'], { cwd })).stdout,
      /^never {2}volume {2}no snapshot$/m,
    );
    assert.match((await lode(['verify', 'data'], { cwd })).stderr, /^never: no snapshot$/m);
    assert.equal((await lode(['repair', 'data'], { cwd })).code, 0);
    const plan = await lode(['gc', 'data'], { cwd });
    assert.deepEqual(plan.stdout.match(/volumes.*/g), keys);
    assert.ok(keys.every((key) => existsSync(other.path(key))));
    const { code, stdout } = await lode(['gc', 'data', '--apply', '--json'], { cwd });
    const { volumes } = JSON.parse(stdout) as { volumes: { volume: string; deleted: number }[] };
    assert.equal(code, 0);
    assert.deepEqual(
      volumes.map(({ volume, deleted }) => [volume, deleted]),
      [
        ['disk', 1],
        ['never', 1],
      ],
    );
    assert.ok(keys.every((key) => !existsSync(other.path(key))));
    assert.equal((await lode(['verify', 'data'], { cwd })).code, 0);
  });
});
