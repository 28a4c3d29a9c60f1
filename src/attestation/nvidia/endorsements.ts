import { copyOf } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { LIMITS } from '../../core/limits.ts'
import { attemptAsync, type Outcome, ok, refuse, take } from '../../core/outcome.ts'
import { decodePem, looksLikePem } from '../../core/pem.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { Brought } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'

/** What travelled with a report, sorted. */
export interface Endorsements {
  /** in the order they came, at most 8 */
  readonly certificates: readonly Certificate[]
  /** manifests offered with the evidence itself, as XML files */
  readonly rims: readonly Brought<Uint8Array>[]
}

/** No evidence needs more: a GPU has two, a switch one. */
const OFFERED_RIMS = 2

/**
 * Sorts an item's endorsements into certificates (PEM or DER) and manifests (XML). A PEM chain is decoded once as long as
 * the cache remembers.
 * @returns them, or LIMIT_CERT_COUNT · LIMIT_COLLATERAL_COUNT · LIMIT_EVIDENCE_BYTES · PEM_INVALID ·
 * ENV_BASE64_NOT_CANONICAL · DER_* · X509_*
 */
export function decodeEndorsements(item: EvidenceItem, context: Context, path: string): Promise<Outcome<Endorsements>> {
  return attemptAsync(async () => {
    const certificates: Certificate[] = []
    const rims: Brought<Uint8Array>[] = []
    for (const offered of item.endorsements) {
      if (looksLikeXml(offered)) {
        if (rims.length === OFFERED_RIMS)
          refuse('LIMIT_COLLATERAL_COUNT', `${path}.rims`, { expected: `at most ${OFFERED_RIMS}` })
        const value = copyOf(offered)
        rims.push({ value, sha256: await context.digestHex('sha256', value), origin: 'evidence' })
        continue
      }
      certificates.push(...take(await certificatesOf(offered, certificates.length, context, path)))
      if (certificates.length > LIMITS.certificatesPerChain) tooMany(path, certificates.length)
    }
    return { certificates, rims }
  })
}

const tooMany = (path: string, actual: number): never =>
  refuse('LIMIT_CERT_COUNT', path, { expected: `at most ${LIMITS.certificatesPerChain}`, actual })

/** White space, and the zeros that stand between characters in UTF-16. */
const SKIPPED: readonly number[] = [0x20, 0x09, 0x0a, 0x0d, 0x00]
const LESS_THAN = 0x3c
/** Length of a byte order mark by its first byte. */
const BYTE_ORDER_MARK_BYTES: ReadonlyMap<number | undefined, number> = new Map([
  [0xef, 3],
  [0xff, 2],
  [0xfe, 2],
])

/** Markup in any encoding, after a byte order mark and white space: its own decoder refuses what does not belong there. */
function looksLikeXml(bytes: Uint8Array): boolean {
  const start = BYTE_ORDER_MARK_BYTES.get(bytes[0]) ?? 0
  const first = bytes.subarray(start, start + 64).find((b) => !SKIPPED.includes(b))
  return first === LESS_THAN
}

/** Five certificates in PEM. */
const MOST_CHAIN_BYTES = 16 * 1024

async function certificatesOf(
  offered: Uint8Array,
  position: number,
  context: Context,
  path: string,
): Promise<Outcome<readonly Certificate[]>> {
  if (!looksLikePem(offered)) {
    const certificate = await context.certificate(offered, `${path}[${position}]`)
    return certificate.ok ? ok([certificate.value]) : certificate
  }
  return context.decodeOnce('nvidia-pem-chain', offered, MOST_CHAIN_BYTES, () =>
    attemptAsync(async () => {
      const blocks = take(decodePem(offered, path))
      if (blocks.length > LIMITS.certificatesPerChain) tooMany(path, blocks.length)
      const chain: Certificate[] = []
      for (const [i, block] of blocks.entries()) {
        const at = `${path}[${position + i}]`
        if (block.label !== 'CERTIFICATE') refuse('PEM_INVALID', at, { expected: 'CERTIFICATE', actual: block.label })
        chain.push(take(await context.certificate(block.der, at)))
      }
      return chain
    }),
  )
}
