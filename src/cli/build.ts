import { parseRfc3339 } from '../core/time.ts'

const BUILT = parseRfc3339('2026-11-22T00:00:00Z')
if (BUILT === undefined) throw new TypeError('the release date is a date')

/** Date of this release; no true clock is earlier. Set with the version. */
export const BUILT_AT = BUILT
