/** Whole seconds since 1970-01-01T00:00:00Z, as every date inside Vouchsafe. */
export type UnixSeconds = number

/** Seconds of a civil UTC date (proleptic Gregorian), or undefined where the date does not exist. */
export function unixSeconds(
  y: number,
  mo: number,
  d: number,
  h: number,
  mi: number,
  s: number,
): UnixSeconds | undefined {
  // Said this way round, so that NaN is refused too.
  if (!(mo >= 1 && mo <= 12 && d >= 1 && h <= 23 && mi <= 59 && s <= 59)) return undefined
  // Every month has these days: no Date has to be made, which a revocation list of thousands would notice.
  if (y >= 100 && d <= 28) return Date.UTC(y, mo - 1, d, h, mi, s) / 1000
  const ms = Date.UTC(2000, mo - 1, d, h, mi, s)
  // Date.UTC maps years 0–99 to 1900–1999, so the year is set apart.
  const date = new Date(ms)
  date.setUTCFullYear(y, mo - 1, d)
  if (date.getUTCMonth() !== mo - 1 || date.getUTCDate() !== d) return undefined
  return date.getTime() / 1000
}

/**
 * RFC 3339 in UTC with `Z` and whole seconds, e.g. `2026-08-01T00:00:00Z`.
 * @returns undefined for anything else; the caller names the fault
 */
export function parseRfc3339(text: string): UnixSeconds | undefined {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text)
  if (m === null) return undefined
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = m.slice(1).map(Number)
  return unixSeconds(y, mo, d, h, mi, s)
}

/** RFC 3339 of a whole second; years outside 0–9999 in the expanded form of ECMAScript, which `parseRfc3339` refuses. */
export function toRfc3339(at: UnixSeconds): string {
  const date = new Date(at * 1000)
  const year = date.getUTCFullYear()
  // Every decision prints some ten dates, and four digits of a year need no padding: twice as fast as `toISOString`.
  if (!(year >= 1000 && year <= 9999)) return `${date.toISOString().slice(0, -'.000Z'.length)}Z`
  const day = `${year}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`
  return `${day}T${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}Z`
}

const twoDigits = (n: number): string => (n < 10 ? `0${n}` : `${n}`)

/** 9999-12-31T23:59:59Z, the last second that RFC 3339 and X.509 can write. */
export const LAST_SECOND: UnixSeconds = 253_402_300_799
