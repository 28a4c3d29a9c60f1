import type { Tee } from '../../attestation/dcap/model.ts'
import { utf8 } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { pem } from '../pki/certificate.ts'
import type { TestKey } from '../pki/keys.ts'
import { type IntelCollateral, quoteCollateralV3 } from './collateral.ts'
import { COMMON_FAULTS } from './faults-common.ts'
import { SGX_ONLY_FAULTS } from './faults-sgx.ts'
import { TDX_ONLY_FAULTS } from './faults-tdx.ts'
import { type SgxOptions, sgxPlan, type TdxOptions, tdxPlan } from './machine-plan.ts'
import { createIntelTestPki } from './pki.ts'
import type { DocumentPlan, IntelFaultTable, IntelPlan, ListPlan, Made } from './plan.ts'
import { type QuoteOffsets, quote, quoteOffsets } from './quote.ts'
import type { SgxReport, TdReport } from './report-fields.ts'
import type { PlatformFacts } from './sgx-extension.ts'

type CommonFault = keyof typeof COMMON_FAULTS
/** One thing wrong with a TDX machine; `TDX_FAULTS` says what each name means. */
export type TdxFault = CommonFault | keyof typeof TDX_ONLY_FAULTS
/** One thing wrong with an SGX machine; `SGX_FAULTS` says what each name means. */
export type SgxFault = CommonFault | keyof typeof SGX_ONLY_FAULTS

/** Every fault with its meaning, the stage at which it shows, its rows of the must-reject table and what it needs. */
export const TDX_FAULTS: IntelFaultTable<TdxFault> = { ...COMMON_FAULTS, ...TDX_ONLY_FAULTS }
export const SGX_FAULTS: IntelFaultTable<SgxFault> = { ...COMMON_FAULTS, ...SGX_ONLY_FAULTS }

export interface TdxMachineOptions extends TdxOptions {
  readonly wrong?: TdxFault
}

export interface SgxMachineOptions extends SgxOptions {
  readonly wrong?: SgxFault
}

/** A machine's evidence and the collateral to judge it with; everything fits together except what `wrong` names. */
export interface IntelMachine<Report> {
  readonly tee: Tee
  /** Time of judgement, RFC 3339. */
  readonly at: string
  readonly quote: Uint8Array
  /** Where the parts of the quote lie. */
  readonly offsets: QuoteOffsets
  /** Certificates that the quote shows, DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** PCK certificate, DER. */
  readonly pck: Uint8Array
  /** The root to trust, DER. Differs from the last of `chain` only where that is the fault. */
  readonly trustedRoot: Uint8Array
  readonly collateral: IntelCollateral
  /** The same as QuoteCollateralV3 in JSON text. */
  readonly collateralJson: string
  readonly pckKey: TestKey
  readonly attestationKey: TestKey
  readonly platform: PlatformFacts
  /** What a relying party expects to find; a fault may put something else into the quote. */
  readonly expected: Report
}

export type TdxMachine = IntelMachine<TdReport>
export type SgxMachine = IntelMachine<SgxReport>

/**
 * A whole TDX machine from a seed: quote, certificates, revocation lists and signed documents that fit together, or with the
 * one thing wrong that `wrong` names, signed anew so that only the check for it can refuse. The accepted twin is the same
 * call without `wrong`; where `TDX_FAULTS[wrong].needs` names options, both calls take them. Deterministic.
 */
export function tdxMachine(seed: string, { wrong, ...options }: TdxMachineOptions = {}): TdxMachine {
  const fault = wrong === undefined ? undefined : TDX_FAULTS[wrong]
  const healthy = tdxPlan(seed, options, fault?.needs)
  const { body } = healthy.quote
  if (body.kind === 'sgx') throw new TypeError('a TDX machine has a TD report')
  return made(healthy, fault === undefined ? healthy : { ...healthy, ...fault.bend(healthy) }, body.report)
}

/** A whole SGX machine from a seed, as `tdxMachine` makes a TDX one; `SGX_FAULTS` has its faults. */
export function sgxMachine(seed: string, { wrong, ...options }: SgxMachineOptions = {}): SgxMachine {
  const fault = wrong === undefined ? undefined : SGX_FAULTS[wrong]
  const healthy = sgxPlan(seed, options, fault?.needs)
  const { body } = healthy.quote
  if (body.kind !== 'sgx') throw new TypeError('an SGX machine has an SGX report')
  return made(healthy, fault === undefined ? healthy : { ...healthy, ...fault.bend(healthy) }, body.report)
}

function made<Report>(healthy: IntelPlan, plan: IntelPlan, expected: Report): IntelMachine<Report> {
  const pki = createIntelTestPki(plan.seed, plan.pki)
  const pck = pki.pck(plan.ca, plan.platform, plan.pck(pki))
  const parts: Made = { pki, pck }
  const chain = plan.chain(parts)
  const certification = plan.certification(utf8(pem(chain)), parts)
  const collateral = collateralOf(plan, parts)
  return {
    tee: plan.tee,
    at: plan.at,
    quote: quote({ ...plan.quote, certification }, pck.key),
    offsets: quoteOffsets(plan.quote),
    chain,
    pck: pck.certificate,
    trustedRoot: createIntelTestPki(plan.seed, { ...plan.pki, rogue: healthy.pki.rogue === true }).authority('root')
      .certificate,
    collateral,
    collateralJson: JSON.stringify(quoteCollateralV3(collateral)),
    pckKey: pck.key,
    attestationKey: plan.quote.attestationKey,
    platform: plan.platform,
    expected,
  }
}

function collateralOf(plan: IntelPlan, parts: Made): IntelCollateral {
  const { pki } = parts
  const tcbInfo = documentOf(plan.tcbInfo, parts)
  const qeIdentity = documentOf(plan.qeIdentity, parts)
  return plan.collateral({
    tee: plan.tee,
    ca: plan.ca,
    fmspc: toHex(plan.platform.fmspc),
    tcbInfo: tcbInfo.text,
    tcbInfoSignature: tcbInfo.signature,
    tcbInfoIssuerChain: tcbInfo.chain,
    qeIdentity: qeIdentity.text,
    qeIdentitySignature: qeIdentity.signature,
    qeIdentityIssuerChain: qeIdentity.chain,
    rootCaCrl: listOf(plan.rootCrl, parts),
    pckCrl: listOf(plan.pckCrl, parts),
    pckCrlIssuerChain: pem([pki.authority(plan.ca).certificate, pki.authority('root').certificate]),
  })
}

function documentOf(plan: DocumentPlan, parts: Made) {
  const { key, chain } = plan.signer(parts)
  const text = plan.text(JSON.stringify(plan.content))
  return {
    text: plan.delivered(text),
    signature: plan.signature(toHex(key.signRaw(utf8(text), 'sha256'))),
    chain: plan.chain(pem(chain)),
  }
}

function listOf(plan: ListPlan, parts: Made): Uint8Array {
  const { pki, pck } = parts
  const serials = plan.revokes.map((who) => (who === 'pck' ? pck.serial : pki.authority(who).serial))
  const { thisUpdate, nextUpdate, edits } = plan
  return plan.delivered(pki.crl(plan.issuer(parts), { serials, thisUpdate, nextUpdate, ...edits }))
}
