import { sortCollateral } from '../../../src/attestation/collateral.ts'
import type { PckExtension, SgxReportBody, TdTcbFacts, Tee } from '../../../src/attestation/dcap/model.ts'
import { INTEL_PROFILE } from '../../../src/attestation/dcap/pck.ts'
import type { TcbFacts } from '../../../src/attestation/dcap/tcb.ts'
import { latin1 } from '../../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { DerSequence, decodeDer, oidText } from '../../../src/core/der.ts'
import { take } from '../../../src/core/outcome.ts'
import { decodePem } from '../../../src/core/pem.ts'
import type { TrustAnchor } from '../../../src/core/trust-anchors.ts'
import { type Certificate, decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { type ValidatedPath, validatePath } from '../../../src/core/x509/path.ts'

export const contextAt = (now: number, ...anchors: readonly TrustAnchor[]): Context =>
  new Context({ now, anchors, crypto: nodeCrypto, cache: createVerificationCache() })

/** Collateral of one file, and the codes of what could not be read. */
export async function sorted(context: Context, ...files: readonly Uint8Array[]) {
  const { collateral, faults } = await sortCollateral(
    context,
    files.map((bytes, i) => ({ name: `file-${i}`, bytes })),
    'verifier',
  )
  return { collateral, faults: faults.map((f) => `${f.code} ${f.path}`) }
}

/** What the evaluation looks at of a quote, read at the fixed offsets of intel-dcap.md §1. Nothing is verified. */
export interface QuoteFacts {
  readonly tee: Tee
  readonly facts: TcbFacts
  readonly chain: readonly Certificate[]
}

export function quoteFacts(quote: Uint8Array): QuoteFacts {
  const view = new DataView(quote.buffer, quote.byteOffset, quote.byteLength)
  const version = view.getUint16(0, true)
  const tee = view.getUint32(4, true) === 0x81 ? 'TDX' : 'SGX'
  const bodyAt = version === 5 ? 54 : 48
  const bodySize = version === 5 ? view.getUint32(50, true) : tee === 'TDX' ? 584 : 384
  const authAt = bodyAt + bodySize + 4
  const qeReportAt = authAt + 128 + (version === 3 ? 0 : 6)
  const qeAuthAt = qeReportAt + 384 + 64
  const certAt = qeAuthAt + 2 + view.getUint16(qeAuthAt, true)
  const size = view.getUint32(certAt + 2, true)
  const text = latin1(quote.subarray(certAt + 6, certAt + 6 + size)).replace(/\0+$/, '')
  const ders = take(
    decodePem(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      'chain',
    ),
  ).map((b) => b.der)
  const chain = ders.map((der, i) => take(decodeCertificate(der, `chain[${i}]`)))
  const [leaf] = chain
  if (leaf === undefined) throw new TypeError('no PCK certificate')
  const body = quote.subarray(bodyAt, bodyAt + bodySize)
  return {
    tee,
    facts: {
      pck: pckExtension(leaf),
      qeReport: sgxReport(quote.subarray(qeReportAt, qeReportAt + 384)),
      td: tee === 'TDX' ? tdFacts(body) : undefined,
    },
    chain,
  }
}

export function sgxReport(bytes: Uint8Array): SgxReportBody {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    cpuSvn: bytes.subarray(0, 16),
    miscSelect: view.getUint32(16, true),
    attributes: bytes.subarray(48, 64),
    mrEnclave: bytes.subarray(64, 96),
    mrSigner: bytes.subarray(128, 160),
    isvProdId: view.getUint16(256, true),
    isvSvn: view.getUint16(258, true),
    reportData: bytes.subarray(320, 384),
  }
}

const tdFacts = (body: Uint8Array): TdTcbFacts => ({
  teeTcbSvn: body.subarray(0, 16),
  mrSignerSeam: body.subarray(64, 112),
  seamAttributes: body.subarray(112, 120),
  teeTcbSvn2: body.length > 584 ? body.subarray(584, 600) : undefined,
})

const ARC = '1.2.840.113741.1.13.1'

function pckExtension(leaf: Certificate): PckExtension {
  const value = leaf.extensions.get(ARC)?.value ?? new Uint8Array()
  const members = membersOf(value)
  const tcb = membersOf(members.get(`${ARC}.2`)?.bytes ?? new Uint8Array())
  const number = (oid: string) => (tcb.get(oid)?.content ?? new Uint8Array()).reduce((n, byte) => n * 256 + byte, 0)
  const octets = (oid: string) => members.get(oid)?.content ?? new Uint8Array()
  return {
    ppid: octets(`${ARC}.1`),
    components: Array.from({ length: 16 }, (_, i) => number(`${ARC}.2.${i + 1}`)),
    pceSvn: number(`${ARC}.2.17`),
    cpuSvn: tcb.get(`${ARC}.2.18`)?.content ?? new Uint8Array(),
    pceId: octets(`${ARC}.3`),
    fmspc: octets(`${ARC}.4`),
    sgxType: 0,
    platformInstanceId: undefined,
    dynamicPlatform: undefined,
    cachedKeys: undefined,
    smtEnabled: undefined,
  }
}

function membersOf(der: Uint8Array) {
  const malformed = (what: string): never => {
    throw new TypeError(what)
  }
  const pairs = new DerSequence(take(decodeDer(der, 'extension')), 0x30, malformed).rest()
  return new Map(
    pairs.map((pair) => {
      const [oid, value] = pair.children
      if (oid === undefined || value === undefined) throw new TypeError('pair')
      return [oidText(oid), value]
    }),
  )
}

/** The path of a PCK certificate, validated up to `anchor`. */
export async function pckPath(
  context: Context,
  chain: readonly Certificate[],
  anchor: TrustAnchor,
): Promise<ValidatedPath> {
  const [leaf, ca] = chain
  if (leaf === undefined || ca === undefined) throw new TypeError('PCK chain')
  return take(await validatePath(context, 'evidence', [leaf, ca], [], [anchor], INTEL_PROFILE, 'pck'))
}
