/** One column chunk, and a cursor over its values: one for each row of the row group, null where there is none. */
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

/** The values of one page, as they are asked for. */
interface OpenPage {
  readonly values: number;
  /** 1 where a row has a value, 0 where it is null; undefined when no row is null. */
  readonly levels: Uint8Array | undefined;
  readonly cell: Cell;
}

/**
 * The column of one row group, read forward. Values become JavaScript values only when their records are built: until
 * then they lie in typed arrays, and afterwards nothing here holds them.
 */
export class ColumnCursor {
  readonly #pages: readonly OpenPage[];
  #page = 0;
  #row = 0;
  #present = 0;

  constructor(pages: readonly OpenPage[]) {
    this.#pages = pages;
  }

  /** Hands out the next values, up to `count`, to `take`; returns how many. One call stays within one page. */
  next(count: number, take: (index: number, value: unknown) => void): number {
    let page = this.#pages[this.#page];
    while (page !== undefined && this.#row === page.values) {
      page = this.#pages[++this.#page];
      this.#row = 0;
      this.#present = 0;
    }
    if (page === undefined) return 0;
    const taken = Math.min(count, page.values - this.#row);
    const { cell, levels } = page;
    let present = this.#present;
    if (levels === undefined) for (let i = 0; i < taken; i++) take(i, cell(present++));
    else
      for (let i = 0; i < taken; i++) take(i, levels[this.#row + i] === 1 ? cell(present++) : null);
    this.#present = present;
    this.#row += taken;
    return taken;
  }
}

export async function openChunk(chunk: ChunkBytes, shape: Shape): Promise<ColumnCursor> {
  const pages: OpenPage[] = [];
  let dictionary: Dictionary | undefined;
  for (const header of walkPages(chunk)) {
    const page = await openPage(chunk, header);
    if (page.kind === 'dictionary') dictionary = readDictionary(chunk, page, shape);
    else pages.push(readPage(chunk, page, shape, dictionary));
  }
  return new ColumnCursor(pages);
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

function readPage(
  chunk: ChunkBytes,
  page: Page,
  shape: Shape,
  dictionary: Dictionary | undefined,
): OpenPage {
  const { levels, body } = splitLevels(chunk, page);
  let present = page.values;
  if (levels !== undefined) {
    present = 0;
    for (let i = 0; i < levels.length; i++) present += levels[i] as number;
  }
  if (page.nulls !== undefined && page.nulls !== page.values - present)
    throw corrupt(page.place, 'a page has another number of nulls than its header says', {
      expected: page.nulls,
      actual: page.values - present,
    });
  const cell = cellOf(chunk, page, body, present, shape, dictionary);
  return { values: page.values, levels: present === page.values ? undefined : levels, cell };
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
