import { createHash } from 'node:crypto'
import { type AuthenticRim, authenticateRim } from '../../../src/attestation/nvidia/rim/index.ts'
import { Context, createVerificationCache, type VerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { CryptoPort } from '../../../src/core/crypto/port.ts'
import type { Outcome } from '../../../src/core/outcome.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import type { TrustAnchor } from '../../../src/core/trust-anchors.ts'
import {
  createNvidiaTestPki,
  NVIDIA_TEST_TIME,
  type Rim,
  type RimSpec,
  rim,
} from '../../../src/testing/nvidia/index.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

export const testPki = createNvidiaTestPki('rim-test')
export const testAnchor = anchorFromCertificate(testPki.roots.rim, 'nvidia/rim-root')

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const held = (value: Uint8Array) => ({ value, sha256: sha256(value), origin: 'verifier' }) as const

export interface Situation {
  readonly anchors?: readonly TrustAnchor[]
  readonly at?: string
  readonly crypto?: CryptoPort
  readonly cache?: VerificationCache
}

export function contextOf(situation: Situation = {}): Context {
  const now = parseRfc3339(situation.at ?? NVIDIA_TEST_TIME)
  if (now === undefined) throw new TypeError(`${situation.at} is not a time`)
  return new Context({
    now,
    anchors: situation.anchors ?? [testAnchor],
    crypto: situation.crypto ?? nodeCrypto,
    cache: situation.cache ?? createVerificationCache(),
  })
}

export const authenticated = (bytes: Uint8Array, situation: Situation = {}): Promise<Outcome<AuthenticRim>> =>
  authenticateRim(contextOf(situation), held(bytes), 'rim')

/** A manifest of the test hierarchy: Hopper's driver 550.144.03 unless said otherwise. */
export const testRim = (of: Partial<Omit<RimSpec, 'pki'>> = {}): Rim =>
  rim({ pki: testPki, kind: 'driver', version: '550.144.03', ...of })

/** The codes of a refusal, or `accepted`. */
export const verdictOn = (outcome: Outcome<unknown>): string =>
  outcome.ok ? 'accepted' : outcome.faults.map((f) => f.code).join(' ')

export function accepted<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.faults)}`)
  return outcome.value
}

/** Text of a manifest changed in one place that has to be there. */
export function replaced(bytes: Uint8Array, search: string | RegExp, replacement: string): Uint8Array {
  const text = new TextDecoder().decode(bytes)
  const changed = text.replace(search, () => replacement)
  if (changed === text) throw new TypeError(`${search} is not in the document`)
  return new TextEncoder().encode(changed)
}
