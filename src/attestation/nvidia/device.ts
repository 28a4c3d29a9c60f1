import type { Context } from '../../core/context.ts'
import { fromHex } from '../../core/encodings.ts'
import { attemptAsync, type Fault, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { checkValidity } from '../../core/x509/path.ts'
import type { Claims, MeasurementComparison } from '../claims.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem, EvidenceKind } from '../evidence.ts'
import type { Authentic, Decoded, ItemJudgement, NotChecked } from '../kind.ts'
import type { ArchitectureFacts } from './architectures.ts'
import { authenticateChain, type DeviceChain, type DeviceIdentity } from './chain.ts'
import { decodeEndorsements, type Endorsements } from './endorsements.ts'
import { matchFwid } from './fwid.ts'
import type { DeviceClass } from './opaque-fields.ts'
import { compareWithReferenceValues, type ReferenceResult, type RimSlot } from './reference-values.ts'
import { checkRevocation, DEVICE_REVOCATION, type RevocationResult } from './revocation.ts'
import type { SpdmReport } from './spdm.ts'

/** A decoded report of a GPU or a switch. */
export interface DeviceReport {
  readonly spdm: SpdmReport
  readonly nvdec0Disabled: boolean
}

/** A report that was proved to come from the device its certificates name. */
export interface ProvedReport<R extends DeviceReport> {
  readonly report: R
  readonly identity: DeviceIdentity
  readonly fwidMatch: 'match' | 'absent-in-report'
}

/** What one device class adds to the way that all NVIDIA reports are judged. */
export interface DeviceKind<R extends DeviceReport> {
  readonly kind: EvidenceKind
  readonly device: DeviceClass
  readonly decode: (bytes: Uint8Array, path: string) => Outcome<Decoded<R>>
  /** whether firmware of this architecture and version always writes the firmware id into the report */
  readonly fwidRequired: (report: R, facts: ArchitectureFacts) => boolean
  /** manifests it must be measured against */
  readonly rimSlots: (report: R, identity: DeviceIdentity) => NonEmpty<RimSlot>
  readonly claims: (proved: ProvedReport<R>, measurements: MeasurementComparison) => Authentic<Claims>
}

/** What no NVIDIA report shows, and what is not asked for; told with every proved report. */
const NOT_SHOWN: readonly NotChecked[] = [
  {
    what: 'confidential computing mode against devtools mode of the NVIDIA device',
    because: 'the report has no field for it; only measured guest code can read it from its driver',
  },
  {
    what: 'revocation of the attestation key certificate by itself',
    because: 'the responder of NVIDIA answers for the identity key and above only',
  },
]

const STAPLED: NotChecked = {
  what: 'nonces of the NVIDIA OCSP answers',
  because: 'the answers were supplied, so they are judged by their dates',
}

const NO_FWID: NotChecked = {
  what: 'firmware id of the NVIDIA device',
  because: 'firmware of this version does not write it into the report',
}

/**
 * Judges one report: limits, decoding, chain, revocation, validity at the time of judgement, firmware id, signature, and then
 * the measurements. Stops at the first refusal.
 */
export async function judgeDevice<R extends DeviceReport>(
  kind: DeviceKind<R>,
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const outcome = await attemptAsync(() => prove(kind, item, collateral, context))
  if (!outcome.ok) return refused(item, kind.kind, outcome.faults)
  const { report, chain, revocation, fwidMatch, reference } = outcome.value
  const { anchor } = chain.path
  const used = [...revocation.used, ...reference.collateral]
  const stapled = used.some((u) => u.kind === 'ocsp-response')
  return {
    id: item.id,
    kind: kind.kind,
    faults: reference.faults,
    claims: kind.claims({ report, identity: chain.identity, fwidMatch }, reference.measurements),
    hardwareId: await hardwareId(context, kind.device, chain.identity.ikSerial),
    revocation: [revocation.report, ...reference.revocation],
    collateral: used,
    notChecked: [...NOT_SHOWN, ...(stapled ? [STAPLED] : []), ...(fwidMatch === 'match' ? [] : [NO_FWID])],
    injectedAnchors: [...new Set([...(anchor.injected ? [anchor.id] : []), ...reference.injectedAnchors])],
  }
}

const refused = (item: EvidenceItem, kind: EvidenceKind, faults: readonly Fault[]): ItemJudgement => ({
  id: item.id,
  kind,
  faults,
  claims: undefined,
  hardwareId: undefined,
  revocation: [],
  collateral: [],
  notChecked: [],
  injectedAnchors: [],
})

interface Proof<R> {
  readonly report: R
  readonly chain: DeviceChain
  readonly revocation: RevocationResult
  readonly fwidMatch: 'match' | 'absent-in-report'
  readonly reference: ReferenceResult
}

/**
 * The report's own signature is the one check that no cache can answer, so it is started as soon as its key is at hand and
 * runs while the rest is judged. Its verdict counts in its place: after the chain, before the measurements.
 */
async function prove<R extends DeviceReport>(
  kind: DeviceKind<R>,
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<Proof<R>> {
  const report = take(kind.decode(item.bytes, 'report')).value
  const endorsements = take(await decodeEndorsements(item, context, 'chain'))
  const [leaf] = endorsements.certificates
  const { signedBytes, signature } = report.spdm
  const [isSigned, proof] = await Promise.all([
    leaf !== undefined && context.verify('evidence', 'ES384', leaf.publicKey.spki, signedBytes, signature, 'once'),
    attemptAsync(() => proveRest(kind, item, collateral, context, report, endorsements)),
  ])
  const proved = take(proof)
  if (!isSigned) refuse('GPU_SIGNATURE_INVALID', 'report.signature', { expected: 'made by the attestation key' })
  return proved
}

/** Everything but the report's signature. The leaf of the chain is the first certificate of the endorsements. */
async function proveRest<R extends DeviceReport>(
  kind: DeviceKind<R>,
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
  report: R,
  endorsements: Endorsements,
): Promise<Proof<R>> {
  const { certificates, rims } = endorsements
  const chain = take(await authenticateChain(context, certificates, kind.device, item.architectureLabel, 'chain'))
  const { facts } = chain.identity
  const revocation = take(
    await checkRevocation(context, chain.path, collateral.ocspResponses, DEVICE_REVOCATION, 'chain'),
  )
  checkValidity(context, chain.path, 'chain')
  const [attestation, identity = attestation] = chain.path.certificates
  const reportedFwid = report.spdm.opaque.optional('FWID')
  const required = kind.fwidRequired(report, facts)
  const fwidMatch = take(matchFwid(attestation, identity, facts.fwid, reportedFwid, required, 'chain'))
  const slots = kind.rimSlots(report, chain.identity)
  const reference = await compareWithReferenceValues(
    context,
    report.spdm.measurements,
    report.nvdec0Disabled,
    slots,
    rims,
    collateral,
  )
  return { report, chain, revocation, fwidMatch, reference }
}

const hardwareId = async (context: Context, device: DeviceClass, ikSerial: string): Promise<string> =>
  `nvidia-${device}:${await context.digestHex('sha256', take(fromHex(ikSerial, ikSerial.length / 2, 'ikSerial')))}`
