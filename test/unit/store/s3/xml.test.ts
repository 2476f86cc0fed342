/** At risk: the process that reads what a hostile server sends. Nothing expands, nothing recurses, nothing is guessed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { utf8Encode } from '../../../../src/bytes/index.ts';
import { childText, escapeXml, parseXml } from '../../../../src/store/s3/xml.ts';

const parse = (text: string): ReturnType<typeof parseXml> => parseXml(utf8Encode(text));

describe('XML of S3', () => {
  it('is read with its attributes, entities, empty elements and white space', () => {
    const root = parse(
      '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="http://x/" b = \'<\'>'.replace(
        "'<'",
        "'y'",
      ) + '\n <Key>a &amp; b &#x1F600;&#10;&lt;</Key><Empty/><Owner><ID>1</ID></Owner>\n</A>\n',
    );
    assert.equal(root?.name, 'A');
    assert.equal(childText(root, 'Key'), 'a & b 😀\n<');
    assert.equal(childText(root, 'Empty'), '');
    assert.equal(root.children.length, 3);
  });

  const refused = {
    'an entity that expands': '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    'an external entity': '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    'an unknown entity': '<a>&b;</a>',
    'a bare ampersand': '<a>b & c</a>',
    'a character that is none': '<a>&#xD800;</a>',
    'a number past the last character': '<a>&#x110000;</a>',
    'a section of raw text': '<a><![CDATA[x]]></a>',
    'a comment': '<a><!-- x --></a>',
    'a processing instruction': '<a><?php x ?></a>',
    'an element left open': '<a><b></a>',
    'an element closed twice': '<a></a></a>',
    'two roots': '<a/><b/>',
    'text outside of the root': '<a/>x',
    HTML: '<!doctype html><html><body><p>Welcome<br></body></html>',
    'a tag cut in the middle': '<a><b',
    nothing: '',
    JSON: '{"a":1}',
  };
  for (const [what, text] of Object.entries(refused))
    it(`refuses ${what}`, () => assert.equal(parse(text), undefined));

  it('refuses what is too deep, too long or no UTF-8, at once', () => {
    assert.equal(parse('<a>'.repeat(1_000_000)), undefined);
    assert.equal(parseXml(new Uint8Array(5_000_000).fill(0x20)), undefined);
    assert.equal(
      parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e)),
      undefined,
    );
  });

  it('gives back any text that was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const whole = text.replace(/\p{Surrogate}/gu, '');
        assert.equal(parse(`<a>${escapeXml(whole)}</a>`)?.text, whole);
      }),
    );
  });

  it('answers for any bytes', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<a/>',
      '<',
      '>',
      '&',
      ';',
      '&lt;',
      '"',
      ' ',
      'x',
      '<?',
      '<!',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const root = parse(pieces.join(''));
        assert.ok(root === undefined || root.name === 'a');
      }),
    );
  });
});
