/** At risk: a damaged or malicious file that hangs, exhausts memory, throws something untyped, or is misread in silence. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { isLodeError } from '../../../src/errors.ts';
import { parquet } from '../../../src/parquet.ts';
import { bombs, smallFile } from './parquet-bombs.ts';
import { decode, encode, rangedFile } from './parquet-files.ts';

const vectors = new URL('../../../../test/vectors/parquet/', import.meta.url);
const schema = { id: 'int64', name: 'string?', score: 'float64', ok: 'bool?' } as const;

/** Reads with and without a schema; anything but records and typed errors fails. Returns what came of it. */
async function survive(bytes: Uint8Array, what: string): Promise<string[]> {
  const outcomes: string[] = [];
  for (const codec of [parquet(schema), parquet()]) {
    try {
      const start = performance.now();
      outcomes.push(`${(await decode(codec as never, bytes)).length} records`);
      assert.ok(performance.now() - start < 1000, `${what} took too long`);
    } catch (error) {
      assert.ok(isLodeError(error), `${what}: ${String(error)}`);
      assert.ok(error.code !== 'LODE_INTERNAL', `${what}: ${String(error)}`);
      outcomes.push(error.code);
    }
  }
  return outcomes;
}

describe('a damaged Parquet file', () => {
  it('cut anywhere is refused', async () => {
    const bytes = await smallFile();
    for (let end = 0; end < bytes.length; end++) {
      const outcomes = await survive(bytes.subarray(0, end), `cut at ${end}`);
      assert.deepEqual(outcomes, ['LODE_INVALID_FORMAT', 'LODE_INVALID_FORMAT'], `cut at ${end}`);
    }
  });

  it('with any byte changed is refused, or read right when the byte was in a page', async () => {
    const bytes = await smallFile();
    const good = `${(await decode(parquet(), bytes)).length} records`;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const footerAt = bytes.length - 8 - view.getUint32(bytes.length - 8, true);
    const counts = new Map<string, number>();
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ flip;
        for (const outcome of await survive(damaged, `byte ${at} ^ ${flip}`)) {
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          if (outcome !== good || at >= footerAt) continue;
          const [was, is] = [await decode(parquet(), bytes), await decode(parquet(), damaged)];
          assert.deepEqual(is, was, `byte ${at} ^ ${flip}`);
        }
      }
    }
    assert.ok((counts.get('LODE_INVALID_FORMAT') ?? 0) > 100);
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
  });

  it('of Go with any byte of a page changed is refused: pages carry checksums', async () => {
    const bytes = new Uint8Array(await readFile(new URL('go-all-snappy.parquet', vectors)));
    const good = await decode(parquet(), bytes);
    let refused = 0;
    for (let at = 4; at < bytes.length - 8; at += 3) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 0x10;
      const read = await decode(parquet(), damaged).catch((error: unknown) => {
        assert.ok(isLodeError(error), `byte ${at}: ${String(error)}`);
        refused++;
      });
      // Past the pages lie indexes and statistics, which this read does not use, and the footer.
      if (read !== undefined && at < 1500) assert.deepEqual(read, good, `byte ${at}`);
    }
    assert.ok(refused > 400, `${refused} refused`);
  });

  it('that shrinks under the reader is truncated', async () => {
    const { bytes } = await encode(
      parquet({ a: 'int64' }, { compression: 'none' }),
      Array.from({ length: 50_000 }, (_, a) => ({ a })),
    );
    const file = rangedFile(bytes);
    const shrinking = {
      ...file,
      readRange: async (offset: number, length: number) =>
        bytes.slice(offset, offset + (offset < 100 ? length - 1 : length)),
    };
    await assert.rejects(decode(parquet({ a: 'int64' }), shrinking, { columns: ['a'] }), (error) =>
      isLodeError(error, 'LODE_TRUNCATED'),
    );
  });
});

describe('a Parquet bomb', () => {
  for (const bomb of bombs) {
    it(bomb.name, async () => {
      const bytes = await bomb.make();
      assert.ok(bytes.length < 1 << 20, `${bytes.length} bytes`);
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      const start = performance.now();
      await assert.rejects(decode(parquet(), bytes), (error) => {
        assert.ok(isLodeError(error, ...bomb.codes), String(error));
        return true;
      });
      const took = performance.now() - start;
      const grown = (process.memoryUsage().rss - before) / (1 << 20);
      assert.ok(took < 1000, `took ${took} ms`);
      assert.ok(grown < 32, `grew ${grown} MiB`);
    });
  }
});
