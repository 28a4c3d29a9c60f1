import { type IntelAuthority, type IntelPkiOptions, intelAuthority } from './authority.ts'
import { type IntelCrlEdits, intelCrl } from './crl.ts'
import type { IntelAuthorityRole, PckCa } from './names.ts'
import { type Pck, type PckEdits, pckCertificate } from './pck.ts'
import type { PlatformFacts } from './sgx-extension.ts'

/** What a list says about its time and its entries. */
export interface IntelCrlSpec extends Omit<IntelCrlEdits, 'nextUpdate' | 'thisUpdate'> {
  readonly serials: readonly Uint8Array[]
  /** RFC 3339 in UTC, whole seconds. */
  readonly thisUpdate: string
  /** undefined: a list without an end */
  readonly nextUpdate: string | undefined
}

/** Intel's hierarchy with keys of the kit. */
export interface IntelTestPki {
  readonly seed: string
  /** The same for every seed. */
  authority(role: IntelAuthorityRole): IntelAuthority
  /** A PCK certificate under one of the two authorities; its key depends on the seed. */
  pck(ca: PckCa, platform: PlatformFacts, edits?: PckEdits): Pck
  /** Revocation list, DER. */
  crl(issuer: Pick<IntelAuthority, 'name' | 'key'>, spec: IntelCrlSpec): Uint8Array
}

/**
 * A hierarchy that looks like Intel's SGX provisioning hierarchy, which TDX shares: names, dates, extensions, addresses and
 * algorithms are Intel's, keys are the kit's. Everything is deterministic.
 */
export function createIntelTestPki(seed: string, options: IntelPkiOptions = {}): IntelTestPki {
  return {
    seed,
    authority: (role) => intelAuthority(role, options),
    pck: (ca, platform, edits) => pckCertificate(seed, platform, ca, intelAuthority(ca, options), edits),
    crl: (issuer, { serials, thisUpdate, nextUpdate, ...edits }) =>
      intelCrl(issuer, serials, thisUpdate, nextUpdate, edits),
  }
}
