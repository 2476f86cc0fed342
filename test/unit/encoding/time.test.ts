/** At risk: a nanosecond lost orders two snapshots wrongly; a time text Go refuses makes a manifest unreadable. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareTime, formatTime, parseTime, timeText } from '../../../src/encoding/time.ts';
import { isLodeError } from '../../../src/errors.ts';

const invalid = (error: unknown): boolean => isLodeError(error, 'LODE_INVALID_ARGUMENT');
const min = -62_167_219_200_000_000_000n;
const max = 253_402_300_799_999_999_999n;

describe('time text', () => {
  it('keeps nine digits and drops idle zeros', () => {
    assert.equal(formatTime(1_767_323_045_123_456_789n), '2026-01-02T03:04:05.123456789Z');
    assert.equal(formatTime(1_767_323_045_120_000_000n), '2026-01-02T03:04:05.12Z');
    assert.equal(formatTime(1_767_323_045_000_000_000n), '2026-01-02T03:04:05Z');
    assert.equal(formatTime(-1n), '1969-12-31T23:59:59.999999999Z');
    assert.equal(formatTime(min), '0000-01-01T00:00:00Z');
    assert.equal(formatTime(max), '9999-12-31T23:59:59.999999999Z');
    assert.equal(timeText(new Date('2026-01-02T03:04:05.120Z')), '2026-01-02T03:04:05.12Z');
    assert.equal(timeText('2024-01-01T10:00:00.500+09:00'), '2024-01-01T10:00:00.5+09:00');
    assert.equal(timeText('2024-01-01T10:00:00.000+00:00'), '2024-01-01T10:00:00Z');
  });

  it('refuses what has no text', () => {
    assert.throws(() => formatTime(min - 1n), invalid);
    assert.throws(() => formatTime(max + 1n), invalid);
    assert.throws(() => timeText(new Date(Number.NaN)), invalid);
    assert.throws(() => timeText('yesterday'), invalid);
  });

  it('parses zones and any fraction', () => {
    assert.equal(parseTime('2026-01-02T03:04:05.123456789Z'), 1_767_323_045_123_456_789n);
    assert.equal(parseTime('2024-01-01T10:00:00+09:00'), parseTime('2024-01-01T01:00:00Z'));
    assert.equal(parseTime('2024-01-01T00:00:00-00:30'), parseTime('2024-01-01T00:30:00Z'));
    assert.equal(parseTime('0000-01-01T00:00:00Z'), min);
    assert.equal(
      parseTime('2024-02-29T00:00:00Z'),
      (parseTime('2024-02-28T23:59:59Z') ?? 0n) + 1_000_000_000n,
    );
    assert.equal(parseTime('1970-01-01T00:00:00.0000000019Z'), 1n);
  });

  it('is strict', () => {
    for (const text of [
      '',
      'x',
      '2024-01-01',
      '2024-01-01T00:00:00',
      '2024-01-01 00:00:00Z',
      '2024-01-01t00:00:00Z',
      '2024-01-01T00:00:00z',
      '2024-1-01T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-00-01T00:00:00Z',
      '2023-02-29T00:00:00Z',
      '2024-01-32T00:00:00Z',
      '2024-01-00T00:00:00Z',
      '2024-01-01T24:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-01-01T00:00:60Z',
      '2024-01-01T00:00:00.Z',
      '2024-01-01T00:00:00,5Z',
      '2024-01-01T00:00:00+24:00',
      '2024-01-01T00:00:00+00:60',
      '2024-01-01T00:00:00+0000',
      '2024-01-01T00:00:00Z ',
      '+2024-01-01T00:00:00Z',
      '10000-01-01T00:00:00Z',
    ])
      assert.equal(parseTime(text), undefined, text);
  });

  it('round-trips every nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min, max }), (ns) => {
        assert.equal(parseTime(formatTime(ns)), ns);
        assert.equal(timeText(formatTime(ns)), formatTime(ns));
      }),
    );
  });

  it('compares instants, not text', () => {
    assert.ok(compareTime('2024-01-01T10:00:00+09:00', '2024-01-01T02:00:00Z') < 0);
    assert.equal(compareTime('2024-01-01T10:00:00+09:00', '2024-01-01T01:00:00Z'), 0);
    assert.ok(compareTime('2024-01-01T00:00:00.1Z', '2024-01-01T00:00:00.09Z') > 0);
    assert.throws(() => compareTime('x', '2024-01-01T00:00:00Z'), invalid);
  });
});
