/** The little XML the protocol needs: elements out, and the two request bodies in. */

/** Text, or elements by name; a list repeats its element. */
export type XmlContent = string | number | boolean | XmlElements;
export interface XmlElements {
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined;
}

export function xmlDocument(root: string, content: XmlContent, namespace = true): string {
  const attribute = namespace ? ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' : '';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner(content)}</${root}>`;
}

function elements(content: XmlElements): string {
  return Object.entries(content)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value])
        .filter((one) => one !== undefined)
        .map((one: XmlContent) => `<${name}>${inner(one)}</${name}>`),
    )
    .join('');
}

function inner(content: XmlContent): string {
  return typeof content === 'object' ? elements(content) : escape(String(content));
}

/** Characters that XML 1.0 cannot hold go out as references all the same, as the service does. */
function escape(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
    (letter) => named[letter] ?? `&#x${letter.charCodeAt(0).toString(16)};`,
  );
}

const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** The contents of every `<name>` in `xml`, in order; good enough for requests, which do not nest a name in itself. */
export function elementsNamed(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g');
  return [...xml.matchAll(pattern)].map(([, content = '']) => content);
}

export function textOf(content: string): string {
  return content.replace(/&(#x?[0-9a-f]+|\w+);/gi, (_, entity: string) => {
    if (entity.startsWith('#x')) return String.fromCodePoint(parseInt(entity.slice(2), 16));
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
    return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[entity] ?? '';
  });
}
