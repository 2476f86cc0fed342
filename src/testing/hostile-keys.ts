/**
 * Keys that attackers, other systems and bad luck come up with, each with the verdict every store must give (R24).
 *
 * `valid` keys round-trip, under the name `clean` where that differs, unless they are longer than the store's capabilities
 * allow; `invalid` ones are `LODE_INVALID_KEY` at every entry point.
 */
export interface HostileKey {
  readonly key: string;
  /** Keys of one family can lie in one store together. */
  readonly family: string;
  readonly verdict: 'valid' | 'invalid';
  /** The one spelling of a valid key. */
  readonly clean: string;
}

const times = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const words = (text: string): string[] => text.split(' ');
const hex = (code: number): string => String.fromCharCode(code);

const invalid: Readonly<Record<string, readonly string[]>> = {
  'nothing at all': ['', '.', './', '././.', 'a/..', './a/..', 'a/b/../..'],
  'outside the root': [
    ...times(8).map((n) => `${'../'.repeat(n + 1)}x`),
    ...times(8).map((n) => `${'a/'.repeat(n + 1)}${'../'.repeat(n + 2)}x`),
    ...words('.. ../ ./.. ./../x a/./../.. a/../../a a//../.. ../../etc/passwd'),
    ...words('.//../x x/../../../tmp/x'),
    `${'a/'.repeat(200)}${'../'.repeat(201)}x`,
  ],
  absolute: ['/', '//', '/x', '/etc/passwd', '//host/share', '/./x', '/../x', '///x', '/C:/x'],
  backslashes: [
    ...words('..\\x ..\\..\\x a\\b \\x a\\ \\ a/..\\..\\b C:\\x \\\\host\\s'),
    ...words('\\\\?\\C:\\x \\\\.\\pipe\\x a/b\\ \\.. .\\x a\\0'),
  ],
  'C0 controls': times(32).flatMap((code) => [`a${hex(code)}b`, `dir${hex(code)}/x`]),
  'DEL and C1 controls': times(33).map((i) => `a${hex(0x7f + i)}b`),
  'lone surrogates': [
    ...words('\ud800 \udbff \udc00 \udfff a\ud800 \ud800a \udc00\ud800'),
    ...words('a/\udfff/b \ud83d\ud83d\ude00 \ude00\ud83d x\ud83d/\ude00y'),
  ],
  'too long': [
    'k'.repeat(1025),
    'k'.repeat(100_000),
    'é'.repeat(513),
    `a${'€'.repeat(342)}`,
    '𝄞'.repeat(257),
    `${'a/'.repeat(512)}aa`,
  ],
  reserved: [
    ...words('.lode- .lode-x .lode-cas-123 a/.lode-tmp/b .lode-x/y ./.lode-x .LODE-x'),
    ...words('latest.lock a/latest.lock .lock x.lock é.lock x.lock/ x.LOCK a/./x.lock'),
    ...words('a/.Lode-x latest.loc\u212a'),
  ],
};

/** Pairs of a spelling and its clean form. */
const respelt: readonly (readonly [string, string])[] = [
  ['a1//b', 'a1/b'],
  ['a2/./b', 'a2/b'],
  ['a3/b/', 'a3/b'],
  ['a4/../b4', 'b4'],
  ['./a5', 'a5'],
  ['././/a6', 'a6'],
  ['a7/b/c/../../d', 'a7/d'],
  ['a8/.', 'a8'],
  ['a9/b/..', 'a9'],
  ['a10///', 'a10'],
  ['a11/x.lock/../y', 'a11/y'],
  ['a12/.lode-x/../y', 'a12/y'],
  [`a13${'/'.repeat(3000)}b`, 'a13/b'],
  [`${'z/../'.repeat(500)}a14`, 'a14'],
];

const valid: Readonly<Record<string, readonly string[]>> = {
  'dots in names': [
    '...',
    '....',
    '.a',
    'a.',
    'a..',
    '..a',
    'a..b',
    'd/...',
    'd/..x',
    '. .',
    '.. ',
  ],
  'twins of reserved names': [
    ...words('.lode .lodex lode-x x.locked lock b.lock/b xlock .lock.x x.lock.'),
    ...words('x.tmp .tmp x~ .x.swp .nfs0001 .DS_Store Thumbs.db .git'),
    'x.lock ',
    ...words('latest manifest.json desktop.ini'),
  ],
  'percent signs': [
    '%2e%2e',
    // Not below the key before: a file cannot be a directory too.
    'x/%2e%2e/x',
    '%2F',
    'a%00b',
    '%',
    '%%',
    '%zz',
    '%252e',
    '%c0%ae',
    'a%5cb',
  ],
  'names Windows keeps': [
    ...words('CON con.txt NUL aux PRN COM1 LPT9 w/CON/b CONIN$ nul.tar.gz'),
    ...words('C: D:/x c:x a:b file::$DATA trail. PROGRA~1'),
    'trail ',
    'w ./x',
    ' lead',
  ],
  'characters shells and URLs know': [
    ...words('a? a* a<b> a|b a"b a\'b ~ ~root $HOME ${x} `x` $(x) -rf'),
    ...words('--help a;b a&b #x ?x a?b=c a+b a=b @ ! ^ (a) [a] {a}'),
    ...words('a,b http:/x <!-- &amp; <Key> ]]> a%20b'),
    ' ',
    '  x',
    'a  b',
    'a b',
  ],
  'names JavaScript knows': [
    ...words('__proto__ constructor toString hasOwnProperty prototype length null'),
    ...words('undefined NaN true 0 -1 1e3 __defineGetter__ then j/__proto__'),
  ],
  'composed and decomposed': [
    '\u00e9',
    'e\u0301',
    '\u212b',
    '\u00c5',
    'A\u030a',
    '\uac00',
    '\u1100\u1161',
  ],
  'case pairs': [
    'Key',
    'key',
    'KEY',
    'stra\u00dfe',
    'STRASSE',
    '\u1e9e',
    '\ufb01',
    'fi',
    '\u0130',
    'i\u0307',
    '\u0131',
  ],
  'invisible and right-to-left': [
    ...words('\u202etxt \u200f \u05d0\u05d1 \u200b a\u200bb \ufeff \ufeffx \u2028'),
    ...words('\u2029 \u00a0 \u3000 \u00ad \u2066x\u2069 \u061c \u180e \u115f'),
  ],
  'ends of Unicode': [
    ...words('\ufffd \ufffe \uffff \ufdd0 \ue000 \uf8ff \u{10000} \u{10ffff}'),
    ...words('\u{1d11e} \u{1f600} \u{1f468}\u200d\u{1f469} \u{1f1e9}\u{1f1ea} Z\u0351\u036f'),
    ...words('\u0378'),
  ],
  'lookalikes of separators': [
    '\u2215',
    '\uff0f',
    '\u2044',
    '\uff0e\uff0e/x',
    '\u2024\u2024',
    '\uff3c',
    '\u29f8',
    '\u2216',
  ],
  lengths: [
    'a',
    'l'.repeat(255),
    'l'.repeat(256),
    'l'.repeat(1023),
    'l'.repeat(1024),
    'é'.repeat(127),
    'é'.repeat(128),
    'é'.repeat(512),
    '𝄞'.repeat(63),
    '𝄞'.repeat(64),
    '𝄞'.repeat(256),
    parts(1022),
    parts(1023),
    parts(1024),
    `${'s/'.repeat(511)}aa`,
  ],
};

/** A key of `length` bytes in parts of a hundred, which every file system can hold. */
function parts(length: number): string {
  const key = `${length}${'p'.repeat(96)}/${`${'q'.repeat(99)}/`.repeat(11)}`.slice(0, length);
  return key.endsWith('/') ? `${key.slice(0, -1)}r` : key;
}

function all(): HostileKey[] {
  const list: HostileKey[] = [];
  for (const [family, keys] of Object.entries(invalid)) {
    for (const key of keys) list.push({ key, family, verdict: 'invalid', clean: '' });
  }
  for (const [family, keys] of Object.entries(valid)) {
    for (const key of keys) list.push({ key, family, verdict: 'valid', clean: key });
  }
  for (const [key, clean] of respelt) {
    list.push({ key, family: 'other spellings', verdict: 'valid', clean });
  }
  return list;
}

/** More than 300 of them. */
export const hostileKeys: readonly HostileKey[] = all();
