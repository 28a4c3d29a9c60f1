import { toHex } from '../../core/encodings.ts'
import type { MeasurementComparison, SwitchClaims } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { ProvedReport } from '../nvidia/device.ts'
import type { SwitchReport } from './decode.ts'

/** A proved switch report in the common vocabulary. */
export function toSwitchClaims(
  proved: Authentic<ProvedReport<SwitchReport>>,
  measurements: MeasurementComparison,
): SwitchClaims {
  const { report, identity, fwidMatch } = proved.value
  const { architecture } = identity.facts
  if (architecture !== 'LS10') throw new TypeError('a GPU makes no switch claims')
  return {
    kind: 'nvidia/switch-report',
    architecture,
    akSerial: identity.akSerial,
    ikSerial: identity.ikSerial,
    pdi: identity.ikSerial.slice(-16),
    hwModel: identity.hwModel,
    ueid: identity.ueid,
    nonce: toHex(report.spdm.requestNonce),
    fwidMatch,
    measurements,
    biosVersion: report.biosVersion,
    devicePdi: report.devicePdi,
    gpuPdis: report.gpuPdis,
    locked: report.locked,
    positionId: report.positionId,
  }
}
