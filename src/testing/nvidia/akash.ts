import { concatBytes, utf8 } from '../../core/bytes.ts'

/** Ways the parts of an Akash GPU report do not come apart again. */
export type AkashPackingFault = 'no-pem' | 'pem-first' | 'chain-twice' | 'text-between' | 'text-behind' | 'nul-behind'

export interface AkashPacking {
  /** CEC report, which lands between the SPDM report and the chain without a length. */
  readonly cec?: Uint8Array
  /** Line ends of the PEM part. */
  readonly lineEnd?: '\n' | '\r\n'
  readonly wrong?: AkashPackingFault
}

/**
 * GPU report as Akash's sidecar sends it (AEP-83), before base64: SPDM report ‖ CEC report where there is one ‖ PEM chain,
 * without lengths.
 */
export function akashGpuReport(
  gpu: { readonly report: Uint8Array; readonly chainPem: string },
  packing: AkashPacking = {},
): Uint8Array {
  const binary = concatBytes(gpu.report, packing.cec ?? new Uint8Array())
  const pem = utf8(gpu.chainPem.replaceAll('\n', packing.lineEnd ?? '\n'))
  const rightly = concatBytes(binary, pem)
  const wrongly: Record<AkashPackingFault, () => Uint8Array> = {
    'no-pem': () => binary,
    'pem-first': () => concatBytes(pem, binary),
    'chain-twice': () => concatBytes(rightly, pem),
    'text-between': () => concatBytes(binary, utf8('garbage'), pem),
    'text-behind': () => concatBytes(rightly, utf8('garbage')),
    'nul-behind': () => concatBytes(rightly, new Uint8Array(1)),
  }
  return packing.wrong === undefined ? rightly : wrongly[packing.wrong]()
}
