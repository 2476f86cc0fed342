/** At risk: records that change between write and read, and files that are read otherwise when they arrive otherwise. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Codec, DecodeOptions } from '../../../src/encoding/codec.ts';
import { jsonl } from '../../../src/encoding/jsonl/index.ts';
import type { StandardSchemaV1 } from '../../../src/encoding/schema.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { ErrorDetails, LodeErrorCode } from '../../../src/errors.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

async function encode<R>(codec: Codec<R>, records: readonly R[]): Promise<Uint8Array> {
  const encoder = codec.encoder();
  const blocks: Uint8Array[] = [];
  for (const [index, record] of records.entries()) {
    const block = await encoder.write(record, index);
    if (block !== undefined) blocks.push(block);
  }
  blocks.push(await encoder.finish());
  return Buffer.concat(blocks);
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The records, and the error after them. */
async function decode<R>(
  codec: Codec<R>,
  bytes: Uint8Array,
  { size = 65_536, ...options }: DecodeOptions<R> & { size?: number } = {},
): Promise<{ records: R[]; error?: unknown }> {
  const records: R[] = [];
  const file = { key: 'k', size: undefined, stream: () => cut(bytes, size) };
  try {
    for await (const record of codec.decode(file, options)) records.push(record);
  } catch (error) {
    return { records, error };
  }
  return { records };
}

function isRefusal(error: unknown, code: LodeErrorCode, details: ErrorDetails): void {
  assert.ok(isLodeError(error, code), String(error));
  for (const [name, value] of Object.entries(details)) {
    assert.equal(error.details[name as keyof ErrorDetails], value, name);
  }
}

describe('JSONL encode', () => {
  it('writes each record as a line, and nothing for none', async () => {
    assert.equal((await encode(jsonl(), [])).length, 0);
    const bytes = await encode(jsonl(), [{ id: 1, event: 'login', day: '2024-01-15' }, null, 'é']);
    assert.deepEqual(
      bytes,
      Buffer.from('{"day":"2024-01-15","event":"login","id":1}\nnull\n"é"\n'),
    );
  });

  it('lets blocks go as they fill, and names the record it refuses', async () => {
    const encoder = jsonl().encoder();
    let blocks = 0;
    for (let i = 0; i < 3000; i++) {
      const block = await encoder.write({ text: 'x'.repeat(100) }, i);
      if (block === undefined) continue;
      blocks++;
      assert.ok(block.length >= 65_536 && block.length < 66_000);
    }
    assert.ok(blocks >= 4);
    assert.throws(
      () => encoder.write({ a: [1n, undefined] }, 7),
      (error: unknown) => {
        isRefusal(error, 'LODE_INVALID_RECORD', { record: 7, field: 'a[1]' });
        return true;
      },
    );
    const rest = new TextDecoder().decode(await encoder.finish());
    assert.ok(rest.endsWith('"}\n'), 'the refused record left nothing behind');
  });

  it('refuses a line that Go could not read back', async () => {
    const most = 'x'.repeat(10_485_759 - 2);
    assert.equal((await encode(jsonl(), [most])).length, 10_485_760);
    const long = jsonl().encoder();
    assert.throws(
      () => long.write(`${most}x`, 3),
      (error: unknown) => {
        isRefusal(error, 'LODE_INVALID_RECORD', {
          record: 3,
          expected: 10_485_759,
          actual: 10_485_760,
        });
        return true;
      },
    );
    assert.throws(() => jsonl({ lineBytesMax: 5 }).encoder().write('éé', 0), {
      code: 'LODE_INVALID_RECORD',
    });
    assert.equal((await encode(jsonl({ lineBytesMax: 6 }), ['éé'])).length, 7);
  });
});

describe('JSONL decode', () => {
  const text = '{"a":1,"t":"é😀\\n"}\r\n\n\r\n[1,2]\n  3 \n"last"';
  const values = [{ a: 1, t: 'é😀\n' }, [1, 2], 3, 'last'];

  it('reads the same whatever the chunks', async () => {
    const bytes = utf8(text);
    for (let size = 1; size <= bytes.length + 1; size++) {
      assert.deepEqual(await decode(jsonl(), bytes, { size }), { records: values });
    }
  });

  it('finds the same fault whatever the chunks, after the records before it', async () => {
    const cases: [string | Uint8Array, number, ErrorDetails][] = [
      ['"é"\n{"a":1}\n  \n1', 2, { offset: 15, record: 2 }],
      ['1\n2 3\n', 1, { offset: 4, record: 1 }],
      ['1\n{"a":}', 1, { offset: 7, record: 1 }],
      ['1\n\n\n[1e999]\n', 1, { record: 1 }],
      ['\ufeff1\n', 0, { offset: 0, record: 0 }],
      [Uint8Array.of(0x31, 0x0a, 0x22, 0x61, 0xff, 0x22, 0x0a, 0x31), 1, { offset: 4, record: 1 }],
      [Uint8Array.of(0x31, 0x0a, 0x22, 0xc3), 1, { offset: 3, record: 1 }],
    ];
    for (const [input, before, details] of cases) {
      const bytes = typeof input === 'string' ? utf8(input) : input;
      for (let size = 1; size <= bytes.length; size++) {
        const { records, error } = await decode(jsonl(), bytes, { size });
        assert.equal(records.length, before);
        isRefusal(error, 'LODE_INVALID_FORMAT', { key: 'k', ...details });
      }
    }
  });

  it('holds no line longer than the limit, however it arrives', async () => {
    const bytes = utf8(`1\n"${'x'.repeat(300_000)}"\n`);
    for (const size of [1000, 65_536, 1_000_000]) {
      const { records, error } = await decode(jsonl(), bytes, { size, recordBytesMax: 100_000 });
      assert.deepEqual(records, [1]);
      isRefusal(error, 'LODE_LIMIT_EXCEEDED', { key: 'k', offset: 2, expected: 100_000 });
    }
    assert.equal((await decode(jsonl(), bytes, { recordBytesMax: 300_002 })).records.length, 2);
  });

  it('keeps integers exact when asked', async () => {
    const bytes = utf8('{"n":9007199254740993,"m":1}\n');
    assert.deepEqual((await decode(jsonl({ integers: 'bigint' }), bytes)).records, [
      { n: 9007199254740993n, m: 1 },
    ]);
    assert.deepEqual((await decode(jsonl(), bytes)).records, [{ n: 9007199254740992, m: 1 }]);
  });

  it('picks columns, and stops at an abort', async () => {
    const codec = jsonl<Record<string, number>>();
    const bytes = utf8('{"a":1,"b":2,"__proto__":{"x":1}}\n{"b":3}\n');
    const { records } = await decode(codec, bytes, { columns: ['a', 'c', '__proto__'] });
    assert.deepEqual(
      records.map((record) => Object.keys(record)),
      [['a', '__proto__'], []],
    );
    assert.equal(Object.getPrototypeOf(records[0]), Object.prototype);
    const reason = new Error('enough');
    const stopped = await decode(codec, bytes, { signal: AbortSignal.abort(reason) });
    assert.equal(stopped.error, reason);
  });

  it('ends the source when the reader stops early', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield utf8('1\n2\n');
      } finally {
        ended = true;
      }
    }
    const file = { key: 'k', size: undefined, stream: source };
    for await (const record of jsonl<number>().decode(file, {})) if (record === 2) break;
    assert.ok(ended);
  });

  it('answers calls that do not wait for each other in order', async () => {
    const file = { key: 'k', size: undefined, stream: () => cut(utf8('1\n2\n3\n4\n5\n'), 4) };
    const records = jsonl<number>().decode(file, {})[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 7 }, () => records.next()));
    assert.deepEqual(
      results.map(({ done, value }) => (done === true ? 'done' : (value as number))),
      [1, 2, 3, 4, 5, 'done', 'done'],
    );
  });
});

describe('JSONL there and back', () => {
  it('returns every JSON record, with any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ noUnicodeString: false })),
        fc.integer({ min: 1, max: 99 }),
        async (records, size) => {
          const { records: read, error } = await decode(jsonl(), await encode(jsonl(), records), {
            size,
          });
          assert.equal(error, undefined);
          assert.deepEqual(read, records);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('JSONL with a schema', () => {
  interface Event {
    readonly id: number;
    readonly at: Date;
  }
  const schema = (wait: boolean): StandardSchemaV1<unknown, Event> => ({
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const { id, at } = value as { id: unknown; at: unknown };
        const time = new Date(at as string);
        const result =
          typeof id === 'number' && !Number.isNaN(time.getTime())
            ? { value: { id, at: time } }
            : {
                issues: [
                  { message: 'not an event', path: ['nested', { key: 0 }, 'id'] },
                  { message: 'no' },
                ],
              };
        return wait ? Promise.resolve(result) : result;
      },
    },
  });
  const at = new Date('2026-01-02T03:04:05.120Z');

  for (const wait of [false, true]) {
    const codec = jsonl({ schema: schema(wait) });
    it(`types, checks and turns back records (${wait ? 'async' : 'sync'})`, async () => {
      const bytes = await encode(codec, [{ id: 1, at, extra: 1 } as Event]);
      assert.equal(new TextDecoder().decode(bytes), '{"at":"2026-01-02T03:04:05.12Z","id":1}\n');
      assert.deepEqual((await decode(codec, bytes)).records, [{ id: 1, at }]);
    });

    it(`names record and field of a violation (${wait ? 'async' : 'sync'})`, async () => {
      const wrong = { id: 'x', at } as unknown as Event;
      const place = { field: 'nested[0].id', record: 1 };
      await assert.rejects(encode(codec, [{ id: 1, at }, wrong]), (error: unknown) => {
        isRefusal(error, 'LODE_SCHEMA_VIOLATION', place);
        return true;
      });
      const bytes = utf8('{"id":1,"at":"2026-01-02"}\n{"id":"1"}\n');
      const { records, error } = await decode(codec, bytes);
      assert.equal(records.length, 1);
      isRefusal(error, 'LODE_SCHEMA_VIOLATION', { ...place, key: 'k' });
    });
  }
});
