import { kindOf } from '../../attestation/registry.ts'
import { copyOf } from '../../core/bytes.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { EvidencePart } from '../collector.ts'
import { ATTESTATION_REPORT, CERTIFICATE } from './layouts.ts'
import type { Device, NvmlSession } from './session.ts'

/**
 * Report and certificate chain of one GPU. Sizes are the driver's word: one that does not fit its field is refused, never cut.
 * @param nonce 32 bytes
 * @returns the part, or COLLECT_NVML_ANSWER_INVALID, or what NVML refused
 */
export function readEvidence(nvml: NvmlSession, device: Device, nonce: Uint8Array): Promise<Outcome<EvidencePart>> {
  return attemptAsync(async () => {
    const report = take(
      await nvml.structure(
        'nvmlDeviceGetConfComputeGpuAttestationReport',
        ATTESTATION_REPORT,
        (_, bytes) => bytes.set(nonce, ATTESTATION_REPORT.fields.nonce.offset),
        device,
      ),
    )
    const data = cut(report.attestationReport, report.attestationReportSize, `${device.id}.attestationReport`)
    const kind = kindOf(data)
    if (kind !== 'nvidia/gpu-report')
      refuse('COLLECT_NVML_ANSWER_INVALID', `${device.id}.attestationReport`, {
        expected: 'nvidia/gpu-report',
        actual: kind,
      })
    const certificate = take(
      await nvml.structure('nvmlDeviceGetConfComputeGpuCertificate', CERTIFICATE, undefined, device),
    )
    const chain = cut(
      certificate.attestationCertChain,
      certificate.attestationCertChainSize,
      `${device.id}.attestationCertChain`,
    )
    return { id: device.id, format: 'nvidia/gpu-report', data, certs: [withoutEnd(chain)] }
  })
}

function cut(field: Uint8Array, size: number, path: string): Uint8Array {
  if (size === 0 || size > field.length)
    refuse('COLLECT_NVML_ANSWER_INVALID', path, { expected: `1 to ${field.length} bytes`, actual: size })
  return copyOf(field.subarray(0, size))
}

/** The chain is a C string: some drivers count its end. */
function withoutEnd(text: Uint8Array): Uint8Array {
  let end = text.length
  while (end > 0 && text[end - 1] === 0) end--
  return text.subarray(0, end)
}
