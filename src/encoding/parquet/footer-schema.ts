/** The schema in a footer: a tree in depth-first order, of which the flat columns can be read. */
import { utf8Decode } from '../../bytes/text.ts';
import { corrupt } from './place.ts';
import type { Place } from './place.ts';
import type { ThriftReader } from './thrift.ts';

const physicalTypes = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;
type PhysicalType = (typeof physicalTypes)[number];

export type TimeUnit = 'MILLIS' | 'MICROS' | 'NANOS';

/** What the bytes mean, from the logical annotation or the older converted type. */
export type Meaning =
  | { readonly kind: 'none' | 'string' | 'date' | 'uuid' | 'float16' }
  | { readonly kind: 'integer'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  | { readonly kind: 'other'; readonly name: string };

/** A leaf of the schema. */
export interface FileColumn {
  /** Path from the root, joined by dots; the name of a flat column. */
  readonly path: string;
  /** A member of the record itself, at most one value a record. */
  readonly flat: boolean;
  readonly optional: boolean;
  readonly physical: PhysicalType;
  readonly physicalId: number;
  /** Bytes of a value of FIXED_LEN_BYTE_ARRAY. */
  readonly length: number;
  readonly meaning: Meaning;
}

interface Element {
  name: string;
  type: number | undefined;
  length: number;
  repetition: number;
  children: number;
  converted: number | undefined;
  scale: number;
  meaning: Meaning | undefined;
}

const treeDepthMax = 32;

export function readSchema(reader: ThriftReader, type: number, place: Place): FileColumn[] {
  const elements = reader.list(type, () => readElement(reader, place));
  const root = elements[0];
  if (root === undefined || root.type !== undefined) throw corrupt(place, 'the schema has no root');
  const columns: FileColumn[] = [];
  const open: { left: number; path: string }[] = [{ left: root.children, path: '' }];
  for (const element of elements.slice(1)) {
    const parent = open.at(-1);
    if (parent === undefined || open.length > treeDepthMax)
      throw corrupt(place, 'the schema is not one tree');
    parent.left--;
    const path = parent.path + element.name;
    if (element.type === undefined) {
      if (element.children === 0) throw corrupt(place, 'the schema has a group without members');
      open.push({ left: element.children, path: `${path}.` });
    } else {
      columns.push(leaf(element, element.type, path, open.length === 1, place));
    }
    while (open.at(-1)?.left === 0) open.pop();
  }
  if (open.length > 1 || (open[0]?.left ?? 0) > 0) throw corrupt(place, 'the schema ends early');
  return columns;
}

function leaf(
  element: Element,
  type: number,
  path: string,
  top: boolean,
  place: Place,
): FileColumn {
  const physical = physicalTypes[type];
  if (physical === undefined)
    throw corrupt(place, 'a column has an unknown type', { actual: type });
  return {
    path,
    flat: top && element.repetition !== 2,
    optional: element.repetition === 1,
    physical,
    physicalId: type,
    length: element.length,
    meaning: element.meaning ?? fromConverted(element.converted, element.scale),
  };
}

function readElement(reader: ThriftReader, place: Place): Element {
  const element: Element = {
    name: '',
    type: undefined,
    length: 0,
    repetition: 0,
    children: 0,
    converted: undefined,
    scale: 0,
    meaning: undefined,
  };
  reader.struct((id, type) => {
    if (id === 1) element.type = reader.count(type);
    else if (id === 2) element.length = reader.count(type);
    else if (id === 3) element.repetition = reader.count(type);
    else if (id === 4) element.name = name(reader.binary(type), place);
    else if (id === 5) element.children = reader.count(type);
    else if (id === 6) element.converted = reader.count(type);
    else if (id === 7) element.scale = reader.int(type);
    else if (id === 10) element.meaning = readMeaning(reader, place);
    else return false;
    return true;
  });
  // No decimal has more digits than this; a larger scale would only make text without end.
  if (element.scale < 0 || element.scale > 1000) throw corrupt(place, 'a scale is out of range');
  if (element.repetition > 2) throw corrupt(place, 'a column has an unknown repetition');
  return element;
}

function name(bytes: Uint8Array, place: Place): string {
  const text = utf8Decode(bytes);
  if (text === undefined) throw corrupt(place, 'a column name is not UTF-8');
  return text;
}

const kinds: Readonly<Record<number, Meaning>> = {
  1: { kind: 'string' },
  2: { kind: 'other', name: 'MAP' },
  3: { kind: 'other', name: 'LIST' },
  4: { kind: 'string' }, // ENUM
  6: { kind: 'date' },
  11: { kind: 'none' }, // UNKNOWN: always null
  12: { kind: 'string' }, // JSON
  13: { kind: 'none' }, // BSON
  14: { kind: 'uuid' },
  15: { kind: 'float16' },
};

function readMeaning(reader: ThriftReader, place: Place): Meaning {
  let meaning: Meaning = { kind: 'none' };
  reader.struct((id, type) => {
    if (type !== 12) return false;
    if (id === 5) meaning = { kind: 'decimal', scale: readScale(reader, place) };
    else if (id === 7 || id === 8) meaning = readTime(reader, id === 8 ? 'timestamp' : 'time');
    else if (id === 10) meaning = readInteger(reader);
    else {
      meaning = kinds[id] ?? { kind: 'other', name: `logical type ${id}` };
      return false;
    }
    return true;
  });
  return meaning;
}

function readScale(reader: ThriftReader, place: Place): number {
  let value = 0;
  reader.struct((id, type) => {
    if (id !== 1) return false;
    value = reader.count(type);
    return true;
  });
  if (value > 1000) throw corrupt(place, 'a scale is out of range');
  return value;
}

function readInteger(reader: ThriftReader): Meaning {
  let bits = 0;
  let signed = true;
  reader.struct((id, type) => {
    if (id === 1) bits = reader.int(type);
    else if (id === 2) signed = reader.bool(type);
    else return false;
    return true;
  });
  return { kind: 'integer', bits, signed };
}

function readTime(reader: ThriftReader, kind: 'timestamp' | 'time'): Meaning {
  let unit: TimeUnit = 'MILLIS';
  let utc = false;
  reader.struct((id, type) => {
    if (id === 1) {
      utc = reader.bool(type);
      return true;
    }
    if (id !== 2 || type !== 12) return false;
    reader.struct((unitId) => {
      unit = unitId === 3 ? 'NANOS' : unitId === 2 ? 'MICROS' : 'MILLIS';
      return false;
    });
    return true;
  });
  return kind === 'timestamp' ? { kind, unit, utc } : { kind, unit };
}

function fromConverted(converted: number | undefined, scale: number): Meaning {
  if (converted === undefined) return { kind: 'none' };
  if (converted === 0 || converted === 4 || converted === 19) return { kind: 'string' };
  if (converted === 5) return { kind: 'decimal', scale };
  if (converted === 6) return { kind: 'date' };
  if (converted === 7 || converted === 8)
    return { kind: 'time', unit: converted === 7 ? 'MILLIS' : 'MICROS' };
  if (converted === 9 || converted === 10)
    return { kind: 'timestamp', unit: converted === 9 ? 'MILLIS' : 'MICROS', utc: true };
  if (converted >= 11 && converted <= 18) {
    const bits = 8 << ((converted - 11) & 3);
    return { kind: 'integer', bits, signed: converted >= 15 };
  }
  if (converted === 20) return { kind: 'none' };
  return { kind: 'other', name: `converted type ${converted}` };
}
