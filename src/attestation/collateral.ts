import { concatBytes, copyOf, latin1 } from '../core/bytes.ts'
import type { Context, Payer } from '../core/context.ts'
import { decodeDer } from '../core/der.ts'
import { LIMITS } from '../core/limits.ts'
import { attempt, type Fault, fault, type Outcome, ok, take } from '../core/outcome.ts'
import { decodePem, looksLikePem } from '../core/pem.ts'
import { decodePublicKey, type PublicKeyInfo } from '../core/x509/algorithms.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import type { Crl } from '../core/x509/crl.ts'
import { decodeOcsp, type OcspResponse } from '../core/x509/ocsp.ts'
import { readIntelFile } from './dcap/collateral-files.ts'
import { DerReader } from './dcap/der-reader.ts'

/** A signed JSON document of Intel's as it was delivered: the bytes of the inner object exactly, and its signature. */
export interface IntelDocument {
  readonly kind: 'tcb-info' | 'qe-identity'
  /** the object as its bytes stand in the answer; never re-serialised */
  readonly signed: Uint8Array
  /** r ‖ s, 64 bytes */
  readonly signature: Uint8Array
  /**
   * certificates (DER) that were delivered as the issuer chain of this very answer: its signer is then one of them;
   * undefined where it came without one, and any of the collateral may be
   */
  readonly issuerChain: readonly Uint8Array[] | undefined
}

export interface Held<T> {
  readonly value: T
  /** SHA-256 of the object's bytes, lower-case hex */
  readonly sha256: string
}

/**
 * Who brought an object: the verifier, or the sender beside the evidence. Both are proved alike; the sender's count against
 * a budget of signature checks, and are no answers that the verifier obtained.
 */
export type Origin = 'verifier' | 'evidence'

/** An object whose provenance counts. */
export interface Brought<T> extends Held<T> {
  readonly origin: Origin
}

/** Who pays for the signature checks of an object. */
export const payerOf = ({ origin }: Brought<unknown>): Payer => (origin === 'evidence' ? 'beside' : 'collateral')

/**
 * Collateral sorted by what it is. Decoded, not authenticated: each use proves it anew against the pinned anchors, so a
 * folder may hold anything.
 */
export interface CollateralSet {
  readonly certificates: readonly Held<Certificate>[]
  readonly crls: readonly Brought<Crl>[]
  readonly ocspResponses: readonly Brought<OcspResponse>[]
  /** NVIDIA reference manifests, as the XML files they are */
  readonly rims: readonly Brought<Uint8Array>[]
  /** Intel's TCB infos and QE identities, as they are signed; the digest is of the signed bytes and the signature */
  readonly intelDocuments: readonly Brought<IntelDocument>[]
  /** public keys that the verifier vouches for as platform keys of Arm CCA (CPAK); never one that came with the evidence */
  readonly platformKeys: readonly Held<PublicKeyInfo>[]
}

/** Closes a set: what was proved with it is remembered by its identity, so nothing may be added or taken away later. */
export function closedSet(set: CollateralSet): CollateralSet {
  for (const objects of Object.values(set)) Object.freeze(objects)
  return Object.freeze(set)
}

export const NO_COLLATERAL: CollateralSet = closedSet({
  certificates: [],
  crls: [],
  ocspResponses: [],
  rims: [],
  intelDocuments: [],
  platformKeys: [],
})

/** A collateral object as a caller holds it, e.g. one file. `name` is for messages only. */
export interface CollateralFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface SortedCollateral {
  readonly collateral: CollateralSet
  /** objects that could not be read, each under its name: COLLATERAL_UNRECOGNISED · LIMIT_COLLATERAL_* · the decoder's code */
  readonly faults: readonly Fault[]
}

/** A whole board with its chains, answers and Intel's lists has some hundred kilobytes. */
const MOST_DER_BYTES: Readonly<Record<Origin, number>> = {
  evidence: 2 * 1024 * 1024,
  verifier: LIMITS.collateralBytes,
}
/** A person reads a few; a file of rubbish has one for each of its parts. */
const MOST_FAULTS = 64

/**
 * Sorts collateral files by content: PEM (certificates, CRLs, public keys), DER (certificate, CRL, OCSP answer), RIM XML, files of
 * Intel's (`readIntelFile`). Equal objects are held once. What cannot be read is reported and left out, so that it can only ever
 * be missing.
 */
export async function sortCollateral(
  context: Pick<Context, 'digestHex'>,
  files: readonly CollateralFile[],
  origin: Origin,
): Promise<SortedCollateral> {
  const certificates = new Map<string, Brought<Certificate>>()
  const crls = new Map<string, Brought<Crl>>()
  const ocspResponses = new Map<string, Brought<OcspResponse>>()
  const rims = new Map<string, Brought<Uint8Array>>()
  const intelDocuments = new Map<string, Brought<IntelDocument>>()
  const platformKeys = new Map<string, Brought<PublicKeyInfo>>()
  const faults: Fault[] = []
  const reader = new DerReader()
  const read = { objects: 0, bytes: 0, isFull: false }
  /** Files hold objects; both are bounded, so that no file costs more than what is told of it. */
  const hasRoom = (der: Uint8Array, name: string): boolean => {
    if (read.isFull) return false
    read.objects++
    read.bytes += der.length
    if (read.objects <= LIMITS.collateralObjects && read.bytes <= MOST_DER_BYTES[origin]) return true
    read.isFull = true
    faults.push(
      read.objects > LIMITS.collateralObjects
        ? fault('LIMIT_COLLATERAL_COUNT', name, { expected: LIMITS.collateralObjects })
        : fault('LIMIT_COLLATERAL_BYTES', name, { expected: MOST_DER_BYTES[origin] }),
    )
    return false
  }

  const hold = async <T>(into: Map<string, Brought<T>>, bytes: Uint8Array, outcome: Outcome<T>) => {
    if (!outcome.ok) faults.push(...outcome.faults)
    else {
      const sha256 = await context.digestHex('sha256', bytes)
      into.set(sha256, { value: outcome.value, sha256, origin })
    }
  }
  const sortDer = async (der: Uint8Array, name: string) => {
    if (!hasRoom(der, name)) return
    const known = reader.knownCrl(der)
    if (known !== undefined) return hold(crls, known.der, ok(known))
    const certificate = reader.certificate(der, name)
    if (certificate.ok) return hold(certificates, certificate.value.der, certificate)
    const crl = reader.crl(der, name)
    if (crl.ok) return hold(crls, crl.value.der, crl)
    const ocsp = decodeOcsp(der, name)
    if (ocsp.ok) return hold(ocspResponses, der, ocsp)
    // Not one of the three: the fault that got furthest past the outermost shape tells the most.
    const told = [certificate, crl, ocsp].flatMap((o) => (o.ok ? [] : o.faults)).find((f) => !GENERIC.has(f.code))
    faults.push(told ?? fault('COLLATERAL_UNRECOGNISED', name))
  }

  const sortIntel = async (bytes: Uint8Array, name: string) => {
    const file = readIntelFile(bytes, name, reader)
    if (file === undefined) {
      faults.push(fault('COLLATERAL_UNRECOGNISED', name))
      return
    }
    faults.push(...file.faults)
    for (const { der, path } of file.ders) await sortDer(der, path)
    for (const document of file.documents) {
      const sha256 = await context.digestHex('sha256', concatBytes(document.signed, document.signature))
      // One document under two chains is held twice: which of them holds must not depend on the order of the files.
      const chain = await context.digestHex('sha256', concatBytes(...(document.issuerChain ?? [])))
      intelDocuments.set(`${sha256} ${chain}`, { value: document, sha256, origin })
    }
  }

  let total = 0
  for (const [count, { name, bytes: given }] of files.entries()) {
    total += given.length
    if (count >= LIMITS.collateralObjects) {
      faults.push(fault('LIMIT_COLLATERAL_COUNT', name, { expected: LIMITS.collateralObjects }))
      break
    }
    if (total > LIMITS.collateralBytes) {
      faults.push(fault('LIMIT_COLLATERAL_BYTES', name, { expected: LIMITS.collateralBytes }))
      break
    }
    const bytes = copyOf(given)
    if (looksLikePem(bytes)) {
      const blocks = decodePem(bytes, name)
      if (!blocks.ok) faults.push(...blocks.faults)
      else {
        for (const [i, { label, der }] of blocks.value.entries()) {
          const at = `${name}[${i}]`
          // A key is its own only proof: one that the sender laid beside its evidence proves nothing and is not held.
          if (label === 'PUBLIC KEY' && origin === 'verifier') await hold(platformKeys, der, platformKey(der, at))
          else await sortDer(der, at)
        }
      }
    } else if (/^\s*</.test(latin1(bytes.subarray(0, 64))) || bytes[0] === 0xef) {
      await hold(rims, bytes, { ok: true, value: bytes })
    } else if (bytes[0] === 0x30) {
      await sortDer(bytes, name)
    } else {
      await sortIntel(bytes, name)
    }
  }
  return {
    collateral: closedSet({
      certificates: [...certificates.values()],
      crls: [...crls.values()],
      ocspResponses: [...ocspResponses.values()],
      rims: [...rims.values()],
      intelDocuments: [...intelDocuments.values()],
      platformKeys: [...platformKeys.values()],
    }),
    faults: faults.slice(0, MOST_FAULTS),
  }
}

const platformKey = (der: Uint8Array, path: string): Outcome<PublicKeyInfo> =>
  attempt(() => decodePublicKey(take(decodeDer(der, path)), path))

const GENERIC: ReadonlySet<string> = new Set(['X509_MALFORMED', 'CRL_MALFORMED', 'OCSP_MALFORMED'])
