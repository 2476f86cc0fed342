/** One column chunk to the cells of its column: a JavaScript value, or null, for each row of the row group. */
import { cellsOf } from './cells.ts';
import type { Cell, Shape } from './cells.ts';
import { encodings, openPage, walkPages } from './page.ts';
import type { ChunkBytes, Page } from './page.ts';
import { corrupt, unsupported } from './place.ts';
import { readRuns } from './runs.ts';
import { plain, readIndexes, readValues } from './values.ts';

interface Dictionary {
  readonly size: number;
  readonly cell: Cell;
}

export async function readChunk(chunk: ChunkBytes, shape: Shape): Promise<unknown[]> {
  const headers = walkPages(chunk);
  const cells: unknown[] = [];
  let dictionary: Dictionary | undefined;
  let row = 0;
  for (const header of headers) {
    const page = await openPage(chunk, header);
    if (page.kind === 'dictionary') dictionary = readDictionary(chunk, page, shape);
    else row = fill(cells, row, chunk, page, shape, dictionary);
  }
  return cells;
}

function readDictionary(chunk: ChunkBytes, page: Page, shape: Shape): Dictionary {
  if (page.encoding !== encodings.plain && page.encoding !== encodings.plainDictionary)
    throw unsupported(page.place, 'a dictionary in an encoding this reader lacks', page.encoding);
  const dense = plain(chunk.column, page.body, page.values, page.place);
  const cell = cellsOf(shape, dense, page.place);
  // Dates and bytes can be changed by whoever gets them: each row has its own.
  if (shape.kind === 'bytes' || (shape.kind === 'timestamp' && shape.as === 'date'))
    return { size: page.values, cell };
  const ready: unknown[] = Array.from({ length: page.values }, (_, i) => cell(i));
  return { size: page.values, cell: (i) => ready[i] };
}

function fill(
  cells: unknown[],
  row: number,
  chunk: ChunkBytes,
  page: Page,
  shape: Shape,
  dictionary: Dictionary | undefined,
): number {
  const { levels, body } = splitLevels(chunk, page);
  let present = page.values;
  if (levels !== undefined) {
    present = 0;
    for (const level of levels) {
      if (level > 1) throw corrupt(page.place, 'a definition level is out of range');
      present += level;
    }
  }
  if (page.nulls !== undefined && page.nulls !== page.values - present)
    throw corrupt(page.place, 'a page has another number of nulls than its header says', {
      expected: page.nulls,
      actual: page.values - present,
    });
  const cell = cellOf(chunk, page, body, present, shape, dictionary);
  if (present === page.values) {
    for (let i = 0; i < present; i++) cells[row + i] = cell(i);
    return row + present;
  }
  let next = 0;
  for (let i = 0; i < page.values; i++)
    cells[row + i] = (levels as Uint8Array)[i] === 1 ? cell(next++) : null;
  return row + page.values;
}

function cellOf(
  chunk: ChunkBytes,
  page: Page,
  body: Uint8Array,
  count: number,
  shape: Shape,
  dictionary: Dictionary | undefined,
): Cell {
  if (page.encoding === encodings.dictionary || page.encoding === encodings.plainDictionary) {
    if (count === 0) return () => null;
    if (dictionary === undefined) throw corrupt(page.place, 'a page lacks its dictionary');
    const indexes = readIndexes(body, count, dictionary.size, page.place);
    return (i) => dictionary.cell(indexes[i] as number);
  }
  // Some writers store nothing at all for a page of nulls.
  if (count === 0) return () => null;
  const dense = readValues(chunk.column, page, body, count, chunk.pageBytesMax);
  return cellsOf(shape, dense, page.place);
}

function splitLevels(
  chunk: ChunkBytes,
  page: Page,
): { readonly levels: Uint8Array | undefined; readonly body: Uint8Array } {
  if (!chunk.column.optional) return { levels: undefined, body: page.body };
  const levels = new Uint8Array(page.values);
  if (page.levels !== undefined) {
    readRuns(page.levels, 1, levels, page.place);
    return { levels, body: page.body };
  }
  const { body } = page;
  if (body.length < 4) throw corrupt(page.place, 'a page lacks its definition levels');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const length = view.getUint32(0, true);
  if (length > body.length - 4) throw corrupt(page.place, 'levels are longer than their page');
  readRuns(body.subarray(4, 4 + length), 1, levels, page.place);
  return { levels, body: body.subarray(4 + length) };
}
