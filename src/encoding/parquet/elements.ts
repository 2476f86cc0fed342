/** The schema as the footer states it: physical type and annotation of each field. */
import type { SchemaElement } from 'hyparquet';
import type { Field, ParquetType } from './schema.ts';

type Leaf = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>;

const leaves: Readonly<Record<ParquetType, Leaf>> = {
  // By converted type alone: the writer states the width of the newer annotation in another Thrift type than the format
  // asks for, which Go refuses.
  int32: { type: 'INT32', converted_type: 'INT_32' },
  int64: { type: 'INT64', converted_type: 'INT_64' },
  float32: { type: 'FLOAT' },
  float64: { type: 'DOUBLE' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  bool: { type: 'BOOLEAN' },
  bytes: { type: 'BYTE_ARRAY' },
  // No converted type: the older annotation has no nanoseconds.
  timestamp: {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
  },
};

export function elementsOf(fields: readonly Field[]): SchemaElement[] {
  const root: SchemaElement = { name: 'record', num_children: fields.length };
  const members = fields.map((field): SchemaElement => {
    const repetition = field.nullable ? 'OPTIONAL' : 'REQUIRED';
    return { ...leaves[field.type], name: field.name, repetition_type: repetition };
  });
  return [root, ...members];
}
