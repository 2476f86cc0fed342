/**
 * The leaves of Go's JSON (docs/formats/dataset.md, sections 3 and 5): strings, numbers, times and bytes, each to its exact text.
 *
 * Manifests come from Go's standard encoder, JSONL lines from another one. They differ in two places, both here:
 * backspace and form feed, and negative exponents of one digit.
 */

export type JsonFlavour = 'manifest' | 'jsonl';

/** Anything but what is surely plain. Surrogates count, so that only strings that have one pay for telling pairs. */
const suspect = /[^ !#-%'-;=?-[\]-\u2027\u202a-\ud7ff\ue000-\uffff]/;

/** What does need an escape: under the `u` flag a surrogate is seen only when it stands alone. */
const escaped = /[^ !#-%'-;=?-[\]-\u2027\u202a-\ud7ff\ue000-\u{10ffff}]/gu;

const short: Readonly<Record<JsonFlavour, ReadonlyMap<string, string>>> = {
  manifest: new Map([
    ['"', '\\"'],
    ['\\', '\\\\'],
    ['\b', '\\b'],
    ['\f', '\\f'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t'],
  ]),
  jsonl: new Map([
    ['"', '\\"'],
    ['\\', '\\\\'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t'],
  ]),
};

export function quote(text: string, flavour: JsonFlavour): string {
  if (!suspect.test(text)) return `"${text}"`;
  const names = short[flavour];
  return `"${text.replace(escaped, (unit) => names.get(unit) ?? longEscape(unit))}"`;
}

function longEscape(unit: string): string {
  const code = unit.charCodeAt(0);
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** A finite number in its shortest form. JavaScript and Go agree on all but what is handled here. */
export function numberText(value: number, flavour: JsonFlavour): string {
  if (value === 0) return 1 / value < 0 ? '-0' : '0';
  const text = `${value}`;
  if (flavour === 'jsonl' && value < 1e-6 && value > -1e-6) {
    return text.replace(/e-(\d)$/, 'e-0$1');
  }
  return text;
}

/** RFC 3339 in UTC, trailing zeros of the fraction removed; `undefined` when the year is not 0000 to 9999. */
export function dateText(time: Date): string | undefined {
  if (Number.isNaN(time.getTime())) return undefined;
  const iso = time.toISOString();
  return iso.length === 24 ? iso.replace(/\.?0*Z$/, 'Z') : undefined;
}

/** Bytes per call of `String.fromCharCode`: well below every engine's argument limit, and a multiple of 3. */
const base64Step = 12_288;

/** Standard alphabet, padded. */
export function base64Text(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += base64Step) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + base64Step)));
  }
  return text;
}
