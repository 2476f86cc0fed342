/**
 * A strict reader for the few XML documents S3 sends: elements and text, nothing else.
 *
 * Document types, entities of one's own, processing instructions and CDATA are refused, so nothing expands; size and depth
 * are bounded. `undefined` is the answer to everything that is not such a document.
 */
import { utf8Decode } from '../../bytes/index.ts';

/** A page of 1,000 keys, each as long and as encoded as can be, is 3.5 MB. */
export const xmlBytesMax: number = 4 * 1024 * 1024;
const depthMax = 8;

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Text directly inside, with entities resolved. */
  readonly text: string;
}

interface Open {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** One tag, sticky; attributes are skipped. */
const tag = /<(\/?)([A-Za-z_][\w.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/y;
const prolog = /^\uFEFF?\s*(?:<\?xml\s[^?<>]*\?>\s*)?/;

/** The root element. */
export function parseXml(bytes: Uint8Array): XmlElement | undefined {
  if (bytes.length > xmlBytesMax) return undefined;
  const text = utf8Decode(bytes);
  if (text === undefined) return undefined;
  const root: Open = { name: '', children: [], text: '' };
  const stack: Open[] = [root];
  let at = prolog.exec(text)?.[0].length ?? 0;
  while (at < text.length) {
    const top = stack.at(-1);
    if (top === undefined) return undefined;
    const next = text.indexOf('<', at);
    const end = next < 0 ? text.length : next;
    if (end > at) {
      const words = unescape(text.slice(at, end));
      if (words === undefined || (top === root && words.trim() !== '')) return undefined;
      top.text += words;
      at = end;
      continue;
    }
    tag.lastIndex = at;
    const [whole, close, name = '', empty] = tag.exec(text) ?? [];
    if (whole === undefined) return undefined;
    at += whole.length;
    if (close === '/') {
      if (stack.length === 1 || top.name !== name || empty === '/') return undefined;
      stack.pop();
      continue;
    }
    const element: Open = { name, children: [], text: '' };
    top.children.push(element);
    if (empty !== '/' && stack.push(element) > depthMax) return undefined;
  }
  return stack.length === 1 && root.children.length === 1 ? root.children[0] : undefined;
}

/** Text of the first child of that name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

const named: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

function unescape(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let valid = true;
  const plain = text.replace(
    /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));|&/g,
    (_, name?: string, decimal?: string, hexadecimal?: string) => {
      if (name !== undefined) return named[name] ?? '';
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
      if (code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff))
        return String.fromCodePoint(code);
      valid = false;
      return '';
    },
  );
  return valid ? plain : undefined;
}

/** Text as it may stand between tags. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r\n]/g, (char) => `&#${char.charCodeAt(0)};`);
}
