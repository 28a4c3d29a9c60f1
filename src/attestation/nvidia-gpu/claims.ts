import { toHex } from '../../core/encodings.ts'
import type { GpuClaims, MeasurementComparison } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { ProvedReport } from '../nvidia/device.ts'
import { modelOf } from '../nvidia/models.ts'
import type { GpuReport } from './decode.ts'

/** A proved GPU report in the common vocabulary. */
export function toGpuClaims(
  proved: Authentic<ProvedReport<GpuReport>>,
  measurements: MeasurementComparison,
): GpuClaims {
  const { report, identity, fwidMatch } = proved.value
  const { architecture } = identity.facts
  if (architecture === 'LS10') throw new TypeError('a switch makes no GPU claims')
  return {
    kind: 'nvidia/gpu-report',
    architecture,
    akSerial: identity.akSerial,
    ikSerial: identity.ikSerial,
    pdi: identity.ikSerial.slice(-16),
    hwModel: identity.hwModel,
    ueid: identity.ueid,
    nonce: toHex(report.spdm.requestNonce),
    fwidMatch,
    measurements,
    model: modelOf(report),
    driverVersion: report.driverVersion,
    vbiosVersion: report.vbiosVersion,
    project: report.project,
    projectSku: report.projectSku,
    chipSku: report.chipSku,
    featureFlag: report.featureFlag,
    protectedPcie: report.protectedPcie,
    nvdec0Disabled: report.nvdec0Disabled,
    switchPdis: report.switchPdis,
  }
}
