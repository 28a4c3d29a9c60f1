import type { UnixSeconds } from '../core/time.ts'

/** A time as HTTP writes it (RFC 9110 §5.6.7): `Sat, 01 Aug 2026 00:00:00 GMT`. */
export const toHttpDate = (seconds: UnixSeconds): string => new Date(seconds * 1000).toUTCString()
