import type { CollateralSet } from '../../attestation/collateral.ts'
import type { EvidenceItem } from '../../attestation/evidence.ts'
import type { DeviceIdentity } from '../../attestation/nvidia/chain.ts'
import { authenticateChain } from '../../attestation/nvidia/chain.ts'
import { decodeEndorsements } from '../../attestation/nvidia/endorsements.ts'
import type { DeviceClass } from '../../attestation/nvidia/opaque-fields.ts'
import { candidatesOf, type RimSlot } from '../../attestation/nvidia/reference-values.ts'
import { DEVICE_REVOCATION } from '../../attestation/nvidia/revocation.ts'
import { authenticateRim } from '../../attestation/nvidia/rim/index.ts'
import type { SpdmReport } from '../../attestation/nvidia/spdm.ts'
import { decodeGpuReport, gpuRimSlots } from '../../attestation/nvidia-gpu/index.ts'
import { switchRimSlots } from '../../attestation/nvidia-switch/collateral.ts'
import { decodeSwitchReport } from '../../attestation/nvidia-switch/index.ts'
import type { Context } from '../../core/context.ts'
import { attemptAsync, type NonEmpty, refuse, take } from '../../core/outcome.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { CollateralRequest } from '../objects.ts'
import { type Need, need } from './needs.ts'

/** A device whose report its own certified key signed: what it says of itself may be asked about. */
interface Device {
  readonly slots: NonEmpty<RimSlot>
  /** leaf first, the root last */
  readonly certificates: readonly Certificate[]
}

type Slots = (identity: DeviceIdentity) => NonEmpty<RimSlot>

interface ReadReport {
  readonly device: DeviceClass
  readonly spdm: SpdmReport
  readonly slots: Slots
}

/** Inside `attemptAsync`. */
function readReport(item: EvidenceItem): ReadReport {
  if (item.kind === 'nvidia/gpu-report') {
    const { value } = take(decodeGpuReport(item.bytes, 'report'))
    return { device: 'gpu', spdm: value.spdm, slots: (identity) => gpuRimSlots(value, identity) }
  }
  const { value } = take(decodeSwitchReport(item.bytes, 'report'))
  return { device: 'switch', spdm: value.spdm, slots: (identity) => switchRimSlots(value, identity) }
}

/** One evidence set is gone through twice, and its signatures count against one budget. */
const known = new WeakMap<Context, Map<EvidenceItem, Promise<Device | undefined>>>()

function deviceOf(item: EvidenceItem, context: Context): Promise<Device | undefined> {
  const devices = known.get(context) ?? new Map<EvidenceItem, Promise<Device | undefined>>()
  known.set(context, devices)
  const device = devices.get(item) ?? provedDevice(item, context)
  devices.set(item, device)
  return device
}

/** Undefined where the report cannot be judged anyway: nobody makes a verifier ask for manifests of his own invention. */
async function provedDevice(item: EvidenceItem, context: Context): Promise<Device | undefined> {
  const outcome = await attemptAsync(async () => {
    const { device, spdm, slots } = readReport(item)
    const { certificates } = take(await decodeEndorsements(item, context, 'chain'))
    const { identity, path } = take(
      await authenticateChain(context, certificates, device, item.architectureLabel, 'chain'),
    )
    const { spki } = path.certificates[0].publicKey
    if (!(await context.verify('evidence', 'ES384', spki, spdm.signedBytes, spdm.signature, 'once')))
      refuse('GPU_SIGNATURE_INVALID', 'report.signature')
    return { slots: slots(identity), certificates }
  })
  return outcome.ok ? outcome.value : undefined
}

/** The manifests of a device's versions, and OCSP answers about its certificates. */
export async function nvidiaNeeds(item: EvidenceItem, context: Context): Promise<readonly Need[]> {
  const device = await deviceOf(item, context)
  if (device === undefined) return []
  const { slots, certificates } = device
  return [
    ...slots.map(({ id }) => need({ kind: 'nvidia-rim', id })),
    ...DEVICE_REVOCATION.positions.flatMap((position) => statusOf(certificates, position)),
  ]
}

/** OCSP answers about the signers of the manifests that are there for a device by now. */
export async function nvidiaNeedsAfter(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<readonly Need[]> {
  const device = await deviceOf(item, context)
  if (device === undefined) return []
  const needs: Need[] = []
  for (const held of device.slots.flatMap((slot) => candidatesOf(slot, collateral.rims))) {
    const rim = await authenticateRim(context, held, 'rim')
    if (!rim.ok) continue
    const { certificates } = rim.value
    needs.push(...certificates.flatMap((_, position) => statusOf(certificates, position)))
  }
  return needs
}

/** Nothing for a root, above which nobody stands. */
function statusOf(certificates: readonly Certificate[], position: number): readonly Need[] {
  const [certificate, issuer] = [certificates[position], certificates[position + 1]]
  if (certificate === undefined || issuer === undefined) return []
  const request: CollateralRequest = { kind: 'nvidia-ocsp', certificate: certificate.der, issuer: issuer.der }
  return [need(request)]
}
