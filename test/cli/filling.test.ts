/** At risk: what was uploaded and is lost, and a volume of two states of one file. An upload that is disturbed, within this process. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { isLodeError, LodeError, memoryStore, openVolume } from 'lode';
import type { Store } from 'lode';
import { assertSameBytes } from '../../src/cli/file-check.ts';
import { Filling } from '../../src/cli/filling.ts';
import { pictureOf } from '../../src/cli/picture.ts';
import { SourceFile } from '../../src/cli/source-file.ts';

const bytes = new Uint8Array(40_000).map((_, i) => i % 251);

describe('filling a volume', () => {
  let folder = '';
  let path = '';
  let store: Store;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lode-filling-'));
    path = join(folder, 'image');
    writeFileSync(path, bytes);
    store = memoryStore();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Run {
    readonly onProgress?: (filling: Filling) => void;
    readonly signal?: AbortSignal;
    readonly store?: Store;
  }

  async function run({ onProgress, signal, ...other }: Run = {}): Promise<Filling> {
    const file = await SourceFile.open(path);
    try {
      const volume = await openVolume('disk', {
        store: other.store ?? store,
        length: bytes.length,
      });
      const filling: Filling = new Filling(volume, file, {
        offset: 0,
        blockBytes: 1000,
        batchBytes: 10_000,
        signal: signal ?? new AbortController().signal,
        onProgress: () => onProgress?.(filling),
      });
      await filling.look();
      await filling.run();
      return filling;
    } finally {
      await file.close();
    }
  }

  async function there(): Promise<number> {
    const volume = await openVolume('disk', { store, length: bytes.length });
    const head = await volume.head();
    for (const { offset, length } of volume.coverage(head)) {
      const read = await volume.readAt(head ?? '', offset, length);
      assert.deepEqual(read, bytes.subarray(offset, offset + length));
    }
    return head?.coveredBytes ?? 0;
  }

  it('commits batch by batch', async () => {
    const { commits, blocks, uploadedBytes } = await run();
    assert.deepEqual([commits, blocks, uploadedBytes], [4, 40, bytes.length]);
    assert.equal(await there(), bytes.length);
  });

  it('commits what it has when it is aborted, and goes on from there', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const aborted = run({
      signal: stop.signal,
      onProgress: ({ blocks }) => blocks === 13 && stop.abort(reason),
    });
    await assert.rejects(aborted, (error) => error === reason);
    const before = await there();
    assert.ok(before >= 13_000 && before < bytes.length);
    assert.equal((await run()).uploadedBytes, bytes.length - before);
    assert.equal(await there(), bytes.length);
  });

  it('commits what it has when the storage fails', async () => {
    let puts = 0;
    const put: Store['put'] = (key, ...rest) => {
      if (key.includes('/data/') && ++puts > 25)
        throw new LodeError('LODE_STORAGE_FULL', 'the bucket is full', { key });
      return store.put(key, ...rest);
    };
    const failing = new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (name === 'put') return put;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    await assert.rejects(run({ store: failing }), /the bucket is full/);
    assert.equal(await there(), 25_000);
  });

  it('shares the work with another that fills at the same time', async () => {
    await Promise.all([run(), run(), run()]);
    assert.equal(await there(), bytes.length);
  });

  it('commits nothing of a file that has changed meanwhile', async () => {
    const changed = run({ onProgress: ({ blocks }) => blocks === 13 && appendFileSync(path, 'x') });
    await assert.rejects(changed, (error) => isLodeError(error, 'LODE_OBJECT_CHANGED'));
    assert.equal(await there(), 10_000);
  });
});

describe('a file that a volume was filled from', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lode-check-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const offset = 500;

  /** Compares the file, changed at these places, with a volume that has it in blocks of a thousand bytes, but for a gap. */
  async function compared(changedAt: readonly number[], whole: boolean): Promise<number> {
    const path = join(folder, 'image');
    writeFileSync(
      path,
      Uint8Array.from(bytes, (byte, i) => (changedAt.includes(i) ? ~byte : byte)),
    );
    const volume = await openVolume('disk', { store: memoryStore(), length: 50_000 });
    const around = new Uint8Array(50_000);
    around.set(bytes, offset);
    const staged = [];
    for (let at = 0; at < 50_000; at += 1000)
      if (at !== 20_000) staged.push(await volume.stageWriteAt(at, around.subarray(at, at + 1000)));
    const head = await volume.commit(staged);
    const file = await SourceFile.open(path);
    let seen = 0;
    const { signal } = new AbortController();
    const onProgress = (count: number): unknown => (seen = count);
    try {
      await assertSameBytes(volume, head, file, { offset, whole, signal, onProgress });
    } finally {
      await file.close();
    }
    return seen;
  }

  it('is known again, by a look or byte for byte', async () => {
    assert.equal(await compared([], false), 16_000);
    assert.equal(await compared([], true), 40_000);
    assert.equal(await compared([20_000], true), 40_000, 'nobody knows what belongs in a gap');
  });

  it('is told from another, to the byte', async () => {
    for (const [at, whole] of [
      [0, false],
      [39_999, false],
      [12_345, true],
    ] as const) {
      await assert.rejects(compared([at], whole), (error) => {
        assert.ok(isLodeError(error, 'LODE_OBJECT_CHANGED'));
        assert.equal(error.details.offset, offset + at);
        return true;
      });
    }
  });
});

describe('a picture of coverage', () => {
  it('never shows a gap as there, nor bytes as missing', () => {
    const length = 2 ** 52;
    const covered = [
      { offset: 0, length: 1 },
      { offset: 2, length: length - 3 },
    ];
    const { lines, cellBytes } = pictureOf(covered, length, 80);
    const cells = lines.map((line) => line.slice(18)).join('');
    assert.equal(cells.length, Math.ceil(length / cellBytes));
    assert.match(cells, /^▓█+▓$/);
    const [dot = ''] = pictureOf([{ offset: 5, length: 1 }], 2 ** 40, 80).lines;
    assert.match(dot.slice(15), /^░·+$/);
  });

  it('fits the columns, whatever they are', () => {
    for (const columns of [1, 20, 79, 80, 200]) {
      for (const length of [1, 7, 1000, 2 ** 33 + 1, Number.MAX_SAFE_INTEGER]) {
        const { lines } = pictureOf([], length, columns);
        assert.ok(lines.length <= 8);
        const chars = Math.max(...lines.map((line) => line.length));
        assert.ok(chars <= Math.max(columns, String(length).length + 10), `${columns} ${length}`);
      }
    }
  });
});
