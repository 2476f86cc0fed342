/** At risk: hostile text that crashes or poisons the process, and numbers that change on the way in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJson, readDepthMax } from '../../../src/encoding/json/index.ts';
import type { JsonReadOptions } from '../../../src/encoding/json/index.ts';
import { parseExactly } from '../../../src/encoding/json/parser.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';

const place = { key: 'k' };
const parse = (text: string | Uint8Array, options: Partial<JsonReadOptions> = {}): unknown =>
  parseJson(
    typeof text === 'string' ? new TextEncoder().encode(text) : text,
    { bytesMax: 1e8, ...options },
    place,
  );
const exactly = (text: string): unknown =>
  parseExactly(text, { depthMax: 100, exactIntegers: false, trailing: false }, place);

function refused(work: () => unknown, code: LodeErrorCode, offset?: number): void {
  assert.throws(work, (error: unknown) => {
    if (!isLodeError(error, code)) throw error;
    assert.equal(error.details.key, 'k');
    if (offset !== undefined) assert.equal(error.details.offset, offset);
    return true;
  });
}

describe('numbers', () => {
  it('keeps integers beyond 2^53 exact when asked', () => {
    const exact = { integers: 'exact' } as const;
    assert.deepEqual(
      parse('{"row_count":9007199254740993,"a":"1234567890123456789","b":12}', exact),
      {
        row_count: 9007199254740993n,
        a: '1234567890123456789',
        b: 12,
      },
    );
    assert.equal(parse('-9223372036854775808', exact), -(2n ** 63n));
    assert.equal(parse('9007199254740991', exact), 9007199254740991);
    assert.equal(parse('9007199254740993'), 9007199254740992);
    assert.equal(parse('9007199254740993.5', exact), 9007199254740994);
  });

  it('refuses numbers beyond float64, wherever they stand', () => {
    const huge = '9'.repeat(400);
    for (const text of [
      '1e400',
      '[1, -1E+400]',
      `{"a":\n ${huge}}`,
      `${'9'.repeat(290)}e50`,
      '0.1e310',
    ]) {
      for (const integers of ['number', 'exact'] as const) {
        refused(() => parse(text, { integers }), 'LODE_INVALID_FORMAT');
      }
    }
    assert.equal(parse('1e-400'), 0);
    assert.equal(parse(`0.${'0'.repeat(300)}1e300`), 0.1);
  });
});

describe('hostile text', () => {
  it('refuses depth before building it', () => {
    const deep = (n: number): string => '['.repeat(n) + ']'.repeat(n);
    assert.doesNotThrow(() => parse(deep(readDepthMax)));
    refused(() => parse(deep(readDepthMax + 1)), 'LODE_LIMIT_EXCEEDED', readDepthMax);
    refused(() => parse(deep(1e6)), 'LODE_LIMIT_EXCEEDED');
    refused(() => parse('{"a":'.repeat(1e6)), 'LODE_LIMIT_EXCEEDED');
    assert.doesNotThrow(() => parse(JSON.stringify(['['.repeat(5000), '\\"[[['])));
    refused(() => parse('[[[1]]]', { depthMax: 2 }), 'LODE_LIMIT_EXCEEDED', 2);
  });

  it('refuses size, marks and text that is not UTF-8, with the offset', () => {
    refused(() => parse('[1,2]', { bytesMax: 4 }), 'LODE_LIMIT_EXCEEDED');
    refused(() => parse('\ufeff{}'), 'LODE_INVALID_FORMAT', 0);
    for (const size of [0, 1, 4094, 4095, 4096, 9000]) {
      const bytes = new TextEncoder().encode(`"${'é'.repeat(size)}"`);
      refused(() => parse(Uint8Array.of(...bytes, 0xff)), 'LODE_INVALID_FORMAT', bytes.length);
      refused(
        () => parse(Uint8Array.of(...bytes, 0xe2, 0x82)),
        'LODE_INVALID_FORMAT',
        bytes.length,
      );
      refused(() => parse(Uint8Array.of(...bytes, 0x80)), 'LODE_INVALID_FORMAT', bytes.length);
    }
  });

  it('names the byte at fault', () => {
    refused(() => parse(''), 'LODE_INVALID_FORMAT', 0);
    refused(() => parse('{"é": tru}'), 'LODE_INVALID_FORMAT', 7);
    refused(() => parse('[1 2]'), 'LODE_INVALID_FORMAT', 3);
    refused(() => parse('{"a":1,}'), 'LODE_INVALID_FORMAT', 7);
    refused(() => parse('{"a":1} x'), 'LODE_INVALID_FORMAT', 8);
    refused(() => parse('["a\nb"]'), 'LODE_INVALID_FORMAT', 3);
  });

  it('ignores what follows the first value only when asked', () => {
    assert.deepEqual(parse('{"a":1}{"b":2} rubbish', { trailing: 'ignore' }), { a: 1 });
    refused(() => parse('{"a":1}{"b":2}'), 'LODE_INVALID_FORMAT', 7);
  });

  it('reads __proto__ as a member like any other', () => {
    for (const extra of ['', ',"n":9007199254740993']) {
      const value = parse(`{"__proto__":{"polluted":true}${extra}}`, {
        integers: 'exact',
      }) as object;
      assert.equal(Object.getPrototypeOf(value), Object.prototype);
      assert.ok(Object.hasOwn(value, '__proto__'));
      assert.equal('polluted' in value, false);
      assert.equal('polluted' in {}, false);
    }
  });
});

describe('the exact parser against JSON.parse', () => {
  const expected = (text: string): unknown => {
    try {
      const value = JSON.parse(text, (_, item: unknown) => {
        if (item === Infinity || item === -Infinity) throw new RangeError('beyond float64');
        return item;
      }) as unknown;
      return { value };
    } catch {
      return 'refused';
    }
  };
  const actual = (text: string): unknown => {
    try {
      return { value: exactly(text) };
    } catch (error) {
      if (isLodeError(error)) return 'refused';
      throw error;
    }
  };

  const numbers = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_, item: unknown) =>
        typeof item === 'bigint' ? Number(item) : Object.is(item, -0) ? '-0' : item,
      ),
      (_, item: unknown) => (item === '-0' ? -0 : item),
    );

  it('agrees on every value', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), fc.nat(3), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        assert.deepEqual(exactly(spaced), JSON.parse(spaced));
        assert.deepEqual(numbers(parse(spaced, { integers: 'exact' })), JSON.parse(spaced));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts and refuses the same texts, after any edit', () => {
    const edit = fc.record({
      at: fc.nat(1000),
      cut: fc.nat(3),
      put: fc.string({
        unit: fc.constantFrom(...'{}[]",:0123456789.eE+-\\ \t\n\u0001tfnulraseu/é'.split('')),
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(fc.json(), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
        let hurt = text;
        for (const { at, cut, put } of edits) {
          const from = at % (hurt.length + 1);
          hurt = hurt.slice(0, from) + put + hurt.slice(from + cut);
        }
        assert.deepEqual(actual(hurt), expected(hurt));
      }),
      { numRuns: 3000 },
    );
  });
});
