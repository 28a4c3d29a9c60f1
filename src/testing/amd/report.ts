import { concatBytes } from '../../core/bytes.ts'
import type { TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { type AmdProduct, type AmdTcb, PRODUCTS, tcbVersion } from './products.ts'
import { type SnpSignature, signatureBlock } from './signature.ts'

/** Bytes of an ATTESTATION_REPORT, and of the part that is signed. */
export const SNP_REPORT_BYTES = 0x4a0
export const SNP_SIGNED_BYTES = 0x2a0

/**
 * Where every field of the report lies: offset, bytes, and whether it is an unsigned little-endian number, plain bytes
 * or a TCB_VERSION (AMD 56860, ATTESTATION_REPORT, versions 2 to 5). Written apart from the verifier's own table on
 * purpose, so that a slip in one is caught by the other. Bytes not named here, below the signature, are reserved.
 */
export const SNP_REPORT_FIELDS = {
  version: [0x000, 4, 'number'],
  guestSvn: [0x004, 4, 'number'],
  policy: [0x008, 8, 'number'],
  familyId: [0x010, 16, 'bytes'],
  imageId: [0x020, 16, 'bytes'],
  vmpl: [0x030, 4, 'number'],
  signatureAlgo: [0x034, 4, 'number'],
  currentTcb: [0x038, 8, 'tcb'],
  platformInfo: [0x040, 8, 'number'],
  keyInfo: [0x048, 4, 'number'],
  reportData: [0x050, 64, 'bytes'],
  measurement: [0x090, 48, 'bytes'],
  hostData: [0x0c0, 32, 'bytes'],
  idKeyDigest: [0x0e0, 48, 'bytes'],
  authorKeyDigest: [0x110, 48, 'bytes'],
  reportId: [0x140, 32, 'bytes'],
  reportIdMa: [0x160, 32, 'bytes'],
  reportedTcb: [0x180, 8, 'tcb'],
  cpuidFamId: [0x188, 1, 'number'],
  cpuidModId: [0x189, 1, 'number'],
  cpuidStep: [0x18a, 1, 'number'],
  chipId: [0x1a0, 64, 'bytes'],
  committedTcb: [0x1e0, 8, 'tcb'],
  currentBuild: [0x1e8, 1, 'number'],
  currentMinor: [0x1e9, 1, 'number'],
  currentMajor: [0x1ea, 1, 'number'],
  committedBuild: [0x1ec, 1, 'number'],
  committedMinor: [0x1ed, 1, 'number'],
  committedMajor: [0x1ee, 1, 'number'],
  launchTcb: [0x1f0, 8, 'tcb'],
  launchMitVector: [0x1f8, 8, 'number'],
  currentMitVector: [0x200, 8, 'number'],
} as const satisfies Record<string, readonly [offset: number, size: number, kind: 'number' | 'bytes' | 'tcb']>

export type SnpFieldName = keyof typeof SNP_REPORT_FIELDS

interface ValueOf {
  readonly number: number | bigint
  /** Exactly as long as the field. */
  readonly bytes: Uint8Array
  /** Components in the layout of the product, or the 8 bytes themselves. */
  readonly tcb: AmdTcb | Uint8Array
}

/** Fields of a report under the vendor's names. One that is given is written, whatever the version says about it. */
export type SnpReportFields = {
  readonly [Name in SnpFieldName]?: ValueOf[(typeof SNP_REPORT_FIELDS)[Name][2]]
}

/** Bytes to write at an offset. */
export interface BytePatch {
  readonly offset: number
  readonly bytes: Uint8Array | readonly number[]
}

/** What goes into the signed part of a report. */
export interface SnpReportBodySpec extends SnpReportFields {
  /** Decides the TCB layout and the defaults. Default Genoa. */
  readonly product?: AmdProduct
  /** The TCB that current, committed, reported and launch TCB have unless they are given. */
  readonly tcb?: AmdTcb
  /** AUTHOR_KEY_EN, MASK_CHIP_KEY and SIGNING_KEY (0 VCEK, 1 VLEK, 7 none), unless `keyInfo` gives the word itself. */
  readonly authorKeyEn?: boolean
  readonly maskChipKey?: boolean
  readonly signingKey?: number
  /** Written before signing, so that the signature is valid over it. Offsets below 0x2A0. */
  readonly patch?: readonly BytePatch[]
}

export interface SnpReportSpec extends SnpReportBodySpec {
  /** The P-384 key of the VCEK or VLEK. */
  readonly signer: TestKey
  readonly signature?: SnpSignature
  /** Written after signing. */
  readonly tamper?: readonly BytePatch[]
  /** Keep this many bytes. */
  readonly truncate?: number
  /** Bytes after the report. */
  readonly append?: Uint8Array
}

/** Launch digest that reports of the kit carry unless they are told otherwise. */
export const TEST_MEASUREMENT: Uint8Array = digest('sha384', new TextEncoder().encode('vouchsafe test image'))

/** The 672 signed bytes of a report. */
export function snpReportBody(spec: SnpReportBodySpec): Uint8Array {
  const product = spec.product ?? 'Genoa'
  const body = new Uint8Array(SNP_SIGNED_BYTES)
  const fields: SnpReportFields = { ...defaults(product, spec), ...present(spec) }
  for (const [name, value] of Object.entries(fields)) write(body, name as SnpFieldName, value, product)
  for (const { offset, bytes } of spec.patch ?? []) body.set(bytes, offset)
  return body
}

/**
 * A signed report of 1184 bytes: by default version 5 of a Genoa machine in good order (production policy 0x30000, VMPL 0,
 * SMT, ECC and a completed alias check, all four TCBs equal and above the floors of AMD's bulletins).
 * The same specification gives the same bytes.
 */
export function snpReport(spec: SnpReportSpec): Uint8Array {
  const body = snpReportBody(spec)
  const report = concatBytes(body, signatureBlock(spec.signer.signRaw(body, 'sha384'), spec.signature ?? 'valid'))
  for (const { offset, bytes } of spec.tamper ?? []) report.set(bytes, offset)
  return concatBytes(report.subarray(0, spec.truncate ?? report.length), spec.append ?? new Uint8Array())
}

function defaults(product: AmdProduct, spec: SnpReportBodySpec): SnpReportFields {
  const facts = PRODUCTS[product]
  const version = spec.version ?? 5
  const tcb = spec.tcb ?? facts.tcb
  const [family, model, stepping] = facts.cpuid
  return {
    version,
    policy: 0x30000,
    signatureAlgo: 1,
    platformInfo: 0x25,
    keyInfo:
      Number(spec.authorKeyEn ?? false) | (Number(spec.maskChipKey ?? false) << 1) | ((spec.signingKey ?? 0) << 2),
    measurement: TEST_MEASUREMENT,
    reportId: digest('sha256', new TextEncoder().encode('vouchsafe test guest')),
    reportIdMa: new Uint8Array(32).fill(0xff),
    currentTcb: tcb,
    committedTcb: tcb,
    reportedTcb: tcb,
    launchTcb: tcb,
    chipId: testChipId(product, 'vouchsafe test chip'),
    currentMajor: 1,
    currentMinor: 55,
    currentBuild: 65,
    committedMajor: 1,
    committedMinor: 55,
    committedBuild: 65,
    ...(version === 2 ? {} : { cpuidFamId: family, cpuidModId: model, cpuidStep: stepping }),
    ...(version === 5 ? { launchMitVector: facts.mitVector, currentMitVector: facts.mitVector } : {}),
  }
}

/** CHIP_ID of 64 bytes, of which the product uses all or the first 8. */
export function testChipId(product: AmdProduct, seed: string): Uint8Array {
  const chipId = digest('sha512', new TextEncoder().encode(`chip/${seed}`))
  return chipId.fill(0, PRODUCTS[product].hwIdBytes)
}

function present(spec: SnpReportBodySpec): SnpReportFields {
  return Object.fromEntries(
    Object.entries(spec).filter(([name, value]) => name in SNP_REPORT_FIELDS && value !== undefined),
  )
}

function write(body: Uint8Array, name: SnpFieldName, value: SnpReportFields[SnpFieldName], product: AmdProduct): void {
  const [offset, size] = SNP_REPORT_FIELDS[name]
  if (value === undefined) return
  const bytes =
    value instanceof Uint8Array
      ? value
      : typeof value === 'object'
        ? tcbVersion(product, value)
        : littleEndian(BigInt(value), size)
  if (bytes.length !== size) throw new TypeError(`${name} has ${size} bytes, not ${bytes.length}`)
  body.set(bytes, offset)
}

function littleEndian(value: bigint, size: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * size) !== 0n) throw new TypeError(`${value} does not fit ${size} bytes`)
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}
