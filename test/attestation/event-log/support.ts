import { type EventLogOptions, judgeEventLog } from '../../../src/attestation/event-log/index.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { TestEventLog } from '../../../src/testing/index.ts'

export type Digest = Context['digest']

/** The digest of a judgement of its own. */
export function digestPort(): Digest {
  const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })
  return (hash, bytes) => context.digest(hash, bytes)
}

/** An MRCONFIGID that names no compose file. */
export const NO_CONFIG = new Uint8Array(48)

export const judgeLog = ({ log, rtmrs }: TestEventLog, options: Partial<EventLogOptions> = {}) =>
  judgeEventLog(log, rtmrs, digestPort(), { path: 'eventLog', dstackVersion: 1, mrConfigId: NO_CONFIG, ...options })

/** Offsets of the TD report in a version 4 quote (intel-dcap.md §1). */
const BODY = 48

export const mrConfigIdOf = (quote: Uint8Array): Uint8Array => quote.slice(BODY + 184, BODY + 184 + 48)

export const rtmrsOf = (quote: Uint8Array): Uint8Array[] =>
  [0, 1, 2, 3].map((i) => quote.slice(BODY + 328 + 48 * i, BODY + 328 + 48 * (i + 1)))
