/**
 * Schemas of any library that speaks Standard Schema v1 (https://standardschema.dev): they type the records and check
 * them. The interface is declared here so that no library is needed.
 */
import { LodeError } from '../errors.ts';
import { pathText } from './json/path.ts';

export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Which record is checked, for errors. */
export interface RecordPlace {
  readonly key: string;
  readonly record: number;
}

/** The record as the schema returns it, with defaults filled in; `LODE_SCHEMA_VIOLATION` names its first issue. */
export function validate<R>(
  schema: StandardSchemaV1<unknown, R>,
  record: unknown,
  place: Partial<RecordPlace>,
): R | Promise<R> {
  const result = schema['~standard'].validate(record);
  return result instanceof Promise
    ? result.then((settled) => accepted(settled, place))
    : accepted(result, place);
}

function accepted<R>(result: SchemaResult<R>, place: Partial<RecordPlace>): R {
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const more = result.issues.length > 1 ? `, and ${result.issues.length - 1} more` : '';
  const field = pathText((issue?.path ?? []).map(pathPart));
  throw new LodeError('LODE_SCHEMA_VIOLATION', `record refused: ${issue?.message}${more}`, {
    ...place,
    ...(field === '' ? {} : { field }),
  });
}

function pathPart(part: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof part === 'object' ? part.key : part;
  return typeof key === 'symbol' ? String(key) : key;
}
