/** At risk: text that is a format. Value by value, what Go wrote for it is what we write for it, or we refuse it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPartitioner } from '../../src/dataset/partition.ts';
import { jsonText } from '../../src/encoding/json/index.ts';
import type { JsonOptions } from '../../src/encoding/json/index.ts';
import { isLodeError } from '../../src/errors.ts';
import { GoOnly, untag } from './tagged.ts';
import { readVectorFile } from './vectors.ts';

interface TextVector {
  readonly value: unknown;
  readonly text?: string;
  readonly error?: { readonly message: string };
}

const texts = (await readVectorFile('texts.json')) as {
  readonly partitions: readonly TextVector[];
  readonly lines: readonly TextVector[];
  readonly metadata: readonly TextVector[];
};

/** Calls `check` with each value JavaScript can hold, and answers how many there were. */
function each(
  vectors: readonly TextVector[],
  check: (value: unknown, v: TextVector) => void,
): number {
  const held = vectors
    .map((vector) => ({ vector, value: untag(vector.value) }))
    .filter(({ value }) => !(value instanceof GoOnly));
  for (const { value, vector } of held) check(value, vector);
  return held.length;
}

function outcome(write: () => string): string | undefined {
  try {
    return write();
  } catch (error) {
    assert.ok(isLodeError(error, 'LODE_INVALID_RECORD'), String(error));
    return undefined;
  }
}

describe('text that Go wrote', () => {
  it('for a partition value is ours too, or the value is refused', () => {
    const partition = createPartitioner(['k']);
    let same = 0;
    const tried = each(texts.partitions, (value, { value: tagged, text }) => {
      const ours = outcome(() => partition({ k: value }, 0));
      // A JavaScript integer stands for a Go integer; the text Go gives a float of that value is another (E-23).
      const isGoFloat = typeof tagged === 'number' && Number.isInteger(tagged);
      if (ours === undefined || isGoFloat) return;
      assert.equal(ours, text);
      same++;
    });
    assert.ok(tried >= 50 && same >= 35, `${same} of ${tried} the same`);
  });

  const places: [string, readonly TextVector[], JsonOptions][] = [
    ['a JSONL line', texts.lines, { flavour: 'jsonl' }],
    ['a manifest', texts.metadata, { flavour: 'manifest', indent: 2 }],
  ];
  for (const [place, vectors, options] of places) {
    it(`in ${place} is ours too`, () => {
      const tried = each(vectors, (value, { text, error }) => {
        const ours = outcome(() => jsonText(value, options));
        // Metadata stands two levels deep in the manifest.
        const expected = options.indent === undefined ? text : text?.replaceAll('\n    ', '\n');
        assert.equal(ours, error === undefined ? expected : undefined);
      });
      assert.ok(tried >= 60, `${tried} values`);
    });
  }
});
