/** At risk: bytes that Go would not write, and values lost without a word. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { jsonText, JsonWriter } from '../../../src/encoding/json/index.ts';
import type { JsonFlavour } from '../../../src/encoding/json/text.ts';
import { isLodeError } from '../../../src/errors.ts';

const text = (
  value: unknown,
  options: Parameters<typeof jsonText>[1] = { flavour: 'jsonl' },
): string => jsonText(value, options);

const written = (writer: JsonWriter, value: unknown): string => {
  writer.write(value);
  return new TextDecoder().decode(writer.sink.take());
};

describe('JSON as Go writes it', () => {
  it('writes the worked line of the format', () => {
    const record = {
      b: 1,
      a: '<x>&\u2028',
      bs: new Uint8Array([1, 2]),
      f: 1e-7,
      g: 1e21,
      n: null,
      arr: [1, 2.5],
      z: -0,
    };
    assert.equal(
      text(record),
      '{"a":"\\u003cx\\u003e\\u0026\\u2028","arr":[1,2.5],"b":1,"bs":"AQI=","f":1e-07,"g":1e+21,"n":null,"z":-0}',
    );
  });

  it('differs between manifests and lines in two places only', () => {
    assert.equal(text(['\b\f', 1.5e-7, 1e-10], { flavour: 'manifest' }), '["\\b\\f",1.5e-7,1e-10]');
    assert.equal(text(['\b\f', 1.5e-7, 1e-10]), '["\\u0008\\u000c",1.5e-07,1e-10]');
  });

  it('escapes what Go escapes, and nothing else', () => {
    assert.equal(
      text('\u0000\u001f\t\n\r"\\/\u007f é 😀 \u2029'),
      '"\\u0000\\u001f\\t\\n\\r\\"\\\\/\u007f é 😀 \\u2029"',
    );
    assert.equal(text('a\ud800b\udc00\ud800'), '"a\\ufffdb\\ufffd\\ufffd"');
    assert.equal(text('😀\udc00'), '"😀\\ufffd"');
  });

  it('writes numbers in their shortest form', () => {
    const cases: [number | bigint, string][] = [
      [0, '0'],
      [-0, '-0'],
      [0.000001, '0.000001'],
      [999999999999999900000, '999999999999999900000'],
      [-1e-8, '-1e-08'],
      [5e-324, '5e-324'],
      [1.7976931348623157e308, '1.7976931348623157e+308'],
      [2 ** 53, '9007199254740992'],
      [-(2n ** 63n), '-9223372036854775808'],
      [4294967296, '4294967296'],
    ];
    for (const [value, expected] of cases) assert.equal(text(value), expected);
  });

  it('writes times without trailing zeros', () => {
    const at = (iso: string): string => text(new Date(iso));
    assert.equal(at('2026-01-02T03:04:05.125Z'), '"2026-01-02T03:04:05.125Z"');
    assert.equal(at('2026-01-02T03:04:05.120Z'), '"2026-01-02T03:04:05.12Z"');
    assert.equal(at('2026-01-02T03:04:05.000Z'), '"2026-01-02T03:04:05Z"');
    assert.equal(at('2026-01-02T03:04:50.000Z'), '"2026-01-02T03:04:50Z"');
  });

  it('sorts names by their UTF-8 bytes, integer-like ones too, at every depth', () => {
    assert.equal(
      text([
        { b: { 9: 1, 10: 2 }, a: 0 },
        { '\uffff': 1, '😀': 2, Z: 3 },
      ]),
      '[{"a":0,"b":{"10":2,"9":1}},{"Z":3,"\uffff":1,"😀":2}]',
    );
  });

  it('indents by two spaces, with empty values on one line', () => {
    const metadata = { z: {}, note: 'a<b', list: [{ path: 'p', size: 11n }, []] };
    assert.equal(
      text(metadata, { indent: 2 }),
      `{
  "list": [
    {
      "path": "p",
      "size": 11
    },
    []
  ],
  "note": "a\\u003cb",
  "z": {}
}`,
    );
  });

  it('writes what toJSON() returns for an instance, and literals of any realm', () => {
    class Money {
      readonly cents = 5;
      toJSON(): unknown {
        return { cents: this.cents };
      }
    }
    assert.equal(text({ m: new Money() }), '{"m":{"cents":5}}');
    assert.equal(text(Object.assign(Object.create(null) as object, { a: 1 })), '{"a":1}');
  });

  it('keeps base64 right across the step size', () => {
    for (const size of [0, 1, 2, 3, 12_287, 12_288, 12_289, 40_000]) {
      const bytes = new Uint8Array(size).map((_, i) => i * 7);
      assert.equal(text(bytes), JSON.stringify(Buffer.from(bytes).toString('base64')));
    }
  });
});

describe('values JSON has no form for', () => {
  class Point {
    readonly x = 1;
  }
  class Loop {
    toJSON(): unknown {
      return this;
    }
  }
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = { again: cyclic };
  const sparse: unknown[] = [];
  sparse[1] = 1;
  const cases: [string, unknown, string][] = [
    ['NaN', { a: { b: [1, 2, 3, Number.NaN] } }, 'a.b[3]'],
    ['Infinity', { 'odd name': -Infinity }, '["odd name"]'],
    ['undefined', { a: 1, b: undefined }, 'b'],
    ['a hole', { list: sparse }, 'list[0]'],
    ['a function', { f: () => 1 }, 'f'],
    ['a symbol', [Symbol('s')], '[0]'],
    ['a Map', { a: new Map() }, 'a'],
    ['a Set', { a: [new Set()] }, 'a[0]'],
    ['a class instance', { p: new Point() }, 'p'],
    ['another typed array', { p: new Float64Array(1) }, 'p'],
    ['an invalid date', { at: new Date(Number.NaN) }, 'at'],
    ['a year past 9999', { at: new Date(8.64e15) }, 'at'],
    ['an integer past float64', { n: 10n ** 400n }, 'n'],
    ['names that collide', { a: { '\ud800': 1, '\ud801': 2 } }, 'a'],
    ['undefined in toJSON()', { m: { toJSON: undefined } }, 'm.toJSON'],
  ];
  for (const [name, value, path] of cases) {
    it(`refuses ${name} and says where`, () => {
      for (const options of [{ flavour: 'jsonl' }, { indent: 2 }] as const) {
        assert.throws(
          () => jsonText(value, options),
          (error: unknown) =>
            isLodeError(error, 'LODE_INVALID_RECORD') && error.details.field === path,
        );
      }
    });
  }

  it('ends on cycles and depth with a typed error', () => {
    let deep: unknown = 0;
    for (let i = 0; i < 1e6; i++) deep = [deep];
    for (const value of [cyclic, deep, { a: new Loop() }]) {
      assert.throws(
        () => jsonText(value),
        (error: unknown) =>
          isLodeError(error, 'LODE_INVALID_RECORD') && /cyclic/.test(error.message),
      );
    }
    assert.throws(() => jsonText(undefined), { code: 'LODE_INVALID_RECORD' });
  });

  it('calls the value by its name', () => {
    assert.throws(
      () => jsonText({ a: [Number.NaN] }, { root: 'metadata' }),
      (error: unknown) => isLodeError(error) && error.details.field === 'metadata.a[0]',
    );
  });

  it('still writes right after a refusal', () => {
    const writer = new JsonWriter({ flavour: 'jsonl' });
    assert.throws(() => written(writer, { a: { b: Number.NaN } }));
    assert.equal(written(writer, { a: { b: 1 } }), '{"a":{"b":1}}');
  });
});

/** The rules again, as plainly as they can be put: sort, stringify, escape. */
function naive(value: unknown, flavour: JsonFlavour): string {
  if (Array.isArray(value)) return `[${value.map((item) => naive(item, flavour)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return `{${members.map(([name, item]) => `${naive(name, flavour)}:${naive(item, flavour)}`).join(',')}}`;
  }
  if (Object.is(value, -0)) return '-0';
  const plain = JSON.stringify(value);
  if (typeof value === 'number')
    return flavour === 'jsonl' ? plain.replace(/e-(\d)$/, 'e-0$1') : plain;
  const safe = plain
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
    .replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\\ufffd')
    .replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\\ufffd');
  if (flavour === 'manifest') return safe;
  return safe
    .replace(/(?<!\\)((?:\\\\)*)\\b/g, '$1\\u0008')
    .replace(/(?<!\\)((?:\\\\)*)\\b/g, '$1\\u0008')
    .replace(/(?<!\\)((?:\\\\)*)\\f/g, '$1\\u000c')
    .replace(/(?<!\\)((?:\\\\)*)\\f/g, '$1\\u000c');
}

describe('the writer against a naive one', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        'a',
        '<',
        '\\',
        '"',
        '\b',
        '\f',
        '\n',
        '\u2028',
        '\ud800',
        '\udc00',
        'é',
      ),
    }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  // Well-formed names only: others may collide, which is refused.
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a', 'b', '1', '10', '__proto__', 'z<'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value')),
      fc.dictionary(name, tie('value')),
    ),
  }));

  for (const flavour of ['manifest', 'jsonl'] as const) {
    it(`agrees for any ${flavour} value, with warm and cold shapes`, () => {
      const warm = new JsonWriter({ flavour });
      fc.assert(
        fc.property(value, (any) => {
          const expected = naive(any, flavour);
          assert.equal(written(warm, any), expected);
          assert.equal(written(new JsonWriter({ flavour }), any), expected);
          const indented = written(new JsonWriter({ flavour, indent: 2 }), any);
          assert.deepEqual(JSON.parse(indented), JSON.parse(expected));
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('never mixes up shapes whose names join alike', () => {
    const writer = new JsonWriter({ flavour: 'jsonl' });
    assert.equal(written(writer, { a: 1, b: 2 }), '{"a":1,"b":2}');
    assert.equal(written(writer, { 'a\0b': 1 }), '{"a\\u0000b":1}');
    for (let i = 0; i < 1000; i++)
      assert.equal(written(writer, { [`k${i}`]: i }), `{"k${i}":${i}}`);
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, { i }]));
    assert.deepEqual(JSON.parse(written(writer, wide)), wide);
  });
});
