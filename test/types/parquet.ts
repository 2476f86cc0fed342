/** What the compiler knows of Parquet records: checked when this compiles, never run. */
import { parquet } from '../../src/parquet.ts';
import type { ParquetCodec, ParquetRecord } from '../../src/parquet.ts';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const byObject = parquet({
  id: 'int64',
  big: { type: 'int64', as: 'bigint' },
  name: 'string?',
  at: 'timestamp',
  text: { type: 'timestamp', as: 'string', nullable: true },
  raw: 'bytes?',
  ok: 'bool',
  score: 'float32',
});

interface ByObject {
  id: number;
  big: bigint;
  name: string | null;
  at: Date;
  text: string | null;
  raw: Uint8Array | null;
  ok: boolean;
  score: number;
}

type RecordOf<C> = C extends ParquetCodec<infer R> ? R : never;
void (true satisfies Same<RecordOf<typeof byObject>, ByObject>);

const byList = parquet([
  { name: 'id', type: 'int32' },
  { name: 'note', type: 'string', nullable: true },
]);
void (true satisfies Same<RecordOf<typeof byList>, { id: number; note: string | null }>);

void (true satisfies Same<RecordOf<ReturnType<typeof untyped>>, Record<string, unknown>>);
function untyped(): ParquetCodec<Record<string, unknown>> {
  return parquet(undefined, { timestamps: 'date' });
}

const schema = { day: 'string', n: 'int32?' } as const;
void (true satisfies Same<ParquetRecord<typeof schema>, { day: string; n: number | null }>);

// @ts-expect-error -- no such type
parquet({ id: 'int128' });
// @ts-expect-error -- a list needs names
parquet([{ type: 'int32' }]);
// @ts-expect-error -- no such compression
parquet({ id: 'int32' }, { compression: 'lzma' });
// @ts-expect-error -- how to read is said in the schema when there is one
parquet({ id: 'int32' }, { timestamps: 'date' });

void byObject.encoder().write(
  {
    id: 1,
    big: 1n,
    name: null,
    at: new Date(0),
    text: '1970-01-01T00:00:00Z',
    raw: null,
    ok: true,
    score: 1,
  },
  0,
);
// @ts-expect-error -- a bigint column takes bigints
void byObject.encoder().write({ big: 1 }, 0);
// @ts-expect-error -- no such column
void byList.decode({} as never, { columns: ['missing'] });
void byList.decode({} as never, { columns: ['note'] });
