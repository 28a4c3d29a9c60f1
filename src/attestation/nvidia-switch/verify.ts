import { authentic, type KindVerifier } from '../kind.ts'
import { type DeviceKind, judgeDevice } from '../nvidia/device.ts'
import { toSwitchClaims } from './claims.ts'
import { switchRimSlots } from './collateral.ts'
import { decodeSwitchReport, looksLikeSwitchReport, type SwitchReport } from './decode.ts'

const KIND: DeviceKind<SwitchReport> = {
  kind: 'nvidia/switch-report',
  device: 'switch',
  decode: decodeSwitchReport,
  // No LS10 firmware seen writes the firmware id; where one does, it is compared.
  fwidRequired: () => false,
  rimSlots: switchRimSlots,
  claims: (proved, measurements) => authentic(toSwitchClaims(authentic(proved), measurements)),
}

/**
 * Proves that a report was signed by the attestation key of the NVSwitch its five certificates name, and compares its
 * measurements with the manifest of exactly its BIOS. The nonce and the board's topology are judged by the evidence set.
 * @see ../shared/spec/nvidia-gpu.md §§1–7
 */
export const nvidiaSwitch: KindVerifier = {
  kind: KIND.kind,
  recognise: looksLikeSwitchReport,
  decode: decodeSwitchReport,
  withoutPadding: (bytes) => bytes,
  verify: (item, collateral, context) => judgeDevice(KIND, item, collateral, context),
}
