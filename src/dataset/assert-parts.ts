/** Components and layouts as they are passed in: one that lacks what it needs is refused where it is given, not where it is used. */
import { LodeError } from '../errors.ts';
import { kindOf } from '../options.ts';

interface Shape {
  readonly members: readonly string[];
  readonly example: string;
}

type Kind = 'store' | 'codec' | 'compressor' | 'checksum' | 'layout';

const shapes: Readonly<Record<Kind, Shape>> = {
  store: { members: ['get', 'put', 'list'], example: 'store: memoryStore()' },
  codec: { members: ['encoder', 'decode'], example: 'codec: jsonl()' },
  compressor: { members: ['compress', 'decompress'], example: 'compressor: gzip()' },
  checksum: { members: ['hasher'], example: 'checksum: sha256()' },
  layout: { members: ['manifestKey', 'dataKey', 'partitionOf'], example: "layout: hive('day')" },
};

/** Throws `LODE_INVALID_ARGUMENT` unless `value` has the methods of such a part, and a name. Absent is fine. */
export function assertPart(kind: Kind, value: unknown, field: string = kind): void {
  if (value === undefined) return;
  const { members, example } = shapes[kind];
  const part = (typeof value === 'object' && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  const isWhole = members.every((member) => typeof part[member] === 'function');
  if (isWhole && (kind === 'store' || typeof part['name'] === 'string')) return;
  const called = typeof value === 'function' ? 'Call it: ' : '';
  throw new LodeError('LODE_INVALID_ARGUMENT', `this is not a ${kind}`, {
    field,
    expected: `an object with ${kind === 'store' ? '' : 'name, '}${members.join(', ')}`,
    actual: kindOf(value),
    next: `${called}pass ${example}, or one of your own.`.replace(/^p/, 'P'),
  });
}
