/**
 * Damage, from one flipped bit to files made to hurt. Every mutant follows from the golden bytes and the dice alone, so a
 * failure is replayed by its seed and number.
 */
import { seededRandom } from '../../src/testing/random.ts';

export interface Dice {
  /** An integer in [0, below). */
  below(below: number): number;
  pick<T>(items: readonly T[]): T;
}

export function dice(seed: number): Dice {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  return { below, pick: <T>(items: readonly T[]): T => items[below(items.length)] as T };
}

export interface Mutation {
  readonly name: string;
  /** Other goldens of the format are there to be spliced in. */
  apply(bytes: Uint8Array, others: readonly Uint8Array[], dice: Dice): Uint8Array;
}

/** For any format: nothing is assumed of the bytes. */
export const byteMutations: readonly Mutation[] = [
  {
    name: 'flipped bits',
    apply: (bytes, _, d) => flipped(bytes, d, (old) => old ^ (1 << d.below(8))),
  },
  { name: 'other bytes', apply: (bytes, _, d) => flipped(bytes, d, () => d.below(256)) },
  { name: 'cut', apply: (bytes, _, d) => bytes.slice(0, d.below(bytes.length)) },
  {
    name: 'spliced',
    apply(bytes, others, d) {
      const other = d.pick(others);
      return joined(
        bytes.subarray(0, d.below(bytes.length)),
        other.subarray(d.below(other.length)),
      );
    },
  },
  {
    name: 'a part missing',
    apply(bytes, _, d) {
      const at = d.below(bytes.length);
      return joined(bytes.subarray(0, at), bytes.subarray(at + d.below(64)));
    },
  },
  {
    name: 'a part twice',
    apply(bytes, _, d) {
      const at = d.below(bytes.length);
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - d.below(200))));
    },
  },
  {
    name: 'zeros',
    apply(bytes, _, d) {
      const damaged = bytes.slice();
      const at = d.below(bytes.length);
      return damaged.fill(0, at, at + 512);
    },
  },
  { name: 'followed by junk', apply: (bytes, others, d) => joined(bytes, d.pick(others)) },
];

const lies = [
  '2147483648',
  '-2147483649',
  '9007199254740992',
  '9223372036854775808',
  '-1',
  '-0',
  '1e400',
  '1e-400',
  '1.5',
  'NaN',
  'Infinity',
  '00',
  '"11"',
  '9'.repeat(400),
];
const values = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '"x"',
  '0',
  '[null]',
  '{"a":1}',
  '"\\ud800"',
  '"\\u0000"',
];
const protoNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'];
const badUtf8 = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80],
  [0xe2, 0x82],
];
const depth = 1_000_000;

/** For formats that are JSON text. */
export const jsonMutations: readonly Mutation[] = [
  text('length lies', (json, d) => replacedOne(json, /(?<=: )-?\d+/g, d.pick(lies), d)),
  text('other types', (json, d) =>
    replacedOne(json, /(?<=": )("(?:[^"\\]|\\.)*"|-?\d+|\{\}|\[\])/g, d.pick(values), d),
  ),
  text('members twice', (json, d) => {
    const members = json.match(/"[a-z_]+": ("(?:[^"\\]|\\.)*"|-?\d+)/g) ?? [];
    const [name = ''] = d.pick(members).split(': ');
    return inserted(json, `${name}: ${d.pick(values)}`, d);
  }),
  text('prototype names', (json, d) =>
    inserted(json, `"${d.pick(protoNames)}": {"polluted": true, "length": 1e9}`, d),
  ),
  text('prototype names for ours', (json, d) =>
    replacedOne(json, /"[a-z_]+"(?=: )/g, `"${d.pick(protoNames)}"`, d),
  ),
  text('depth', (json, d) => {
    const [open, close] = d.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    const deep = open.repeat(depth) + d.pick(['', `1${close.repeat(depth)}`]);
    return d.below(4) === 0 ? deep : inserted(json, `"deep": ${deep}`, d);
  }),
  text('huge arrays', (json, d) =>
    replacedOne(json, /\[\]|\[/g, `[${`${d.pick(['null', '{}', '[]', '0'])},`.repeat(200_000)}`, d),
  ),
  text('long strings', (json, d) =>
    replacedOne(
      json,
      /"(?:[^"\\]|\\.)*"/g,
      JSON.stringify(d.pick(['x', '\u0000', '\ud83d\ude00', '\\']).repeat(100_000)),
      d,
    ),
  ),
  text('a byte order mark', (json) => `\ufeff${json}`),
  text('CRLF', (json) => json.replaceAll('\n', '\r\n')),
  text('blanks', (json, d) => replacedOne(json, /\n/g, ' \t\r\n'.repeat(50_000), d)),
  text('names in other cases', (json, d) =>
    replacedOne(json, /"[a-z_]+"(?=: )/g, (name) => name.toUpperCase(), d),
  ),
  text('members missing', (json, d) =>
    replacedOne(json, /\n *"[a-z_]+": [^[{\n]*,?(?=\n)/g, '', d),
  ),
  {
    name: 'bad UTF-8',
    apply(bytes, _, d) {
      const at = d.below(bytes.length);
      return joined(bytes.subarray(0, at), Uint8Array.from(d.pick(badUtf8)), bytes.subarray(at));
    },
  },
];

function text(name: string, change: (json: string, dice: Dice) => string): Mutation {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return { name, apply: (bytes, _, d) => encoder.encode(change(decoder.decode(bytes), d)) };
}

function flipped(bytes: Uint8Array, d: Dice, to: (old: number) => number): Uint8Array {
  const damaged = bytes.slice();
  for (let count = 1 + d.below(8); count > 0; count--) {
    const at = d.below(bytes.length);
    damaged[at] = to(damaged[at] ?? 0);
  }
  return damaged;
}

function replacedOne(
  json: string,
  pattern: RegExp,
  replacement: string | ((found: string) => string),
  d: Dice,
): string {
  const found = [...json.matchAll(pattern)];
  if (found.length === 0) return json;
  const { index, 0: old } = d.pick(found);
  const value = typeof replacement === 'string' ? replacement : replacement(old);
  return json.slice(0, index) + value + json.slice(index + old.length);
}

/** As a first member of one of the objects. */
function inserted(json: string, member: string, d: Dice): string {
  return replacedOne(json, /\{(?=\s*")/g, `{${member},`, d);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
