/** File statistics as a manifest holds them. They prune reads, so a bound of an unusable type is no bound at all. */
import type { ColumnStatistics, FileStatistics } from '../../encoding/codec.ts';
import type { Members } from '../../manifest/index.ts';

export function fileStatistics(m: Members): FileStatistics {
  const columns = m.value('columns') === undefined ? [] : m.array('columns');
  return {
    rowCount: m.count('row_count'),
    columns: columns.map((column, i) => columnStatistics(m.within(column, 'columns', i))),
  };
}

function columnStatistics(m: Members): ColumnStatistics {
  const min = bound(m.value('min'));
  const max = bound(m.value('max'));
  const distinctCount = m.count('distinct_count');
  return {
    name: m.optionalString('name') ?? '',
    ...(min === undefined || max === undefined ? {} : { min, max }),
    nullCount: m.count('null_count'),
    ...(distinctCount === 0 ? {} : { distinctCount }),
  };
}

function bound(value: unknown): string | number | bigint | boolean | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    case 'object':
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined;
  }
}
