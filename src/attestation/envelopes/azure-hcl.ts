import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodeHclReport, type HclReport, looksLikeHclReport } from '../azure-cvm/index.ts'
import type { EvidenceItem, EvidenceSet } from '../evidence.ts'

export const isAzureHcl = looksLikeHclReport

/** The data that REPORT_DATA covers, for the CPU item that they belong to. */
export const runtimeDataOf = ({ hash, runtimeData }: HclReport): NonNullable<EvidenceItem['runtimeData']> => ({
  hash,
  bytes: runtimeData,
})

/**
 * The SNP report in an Azure HCL report, with its runtime data. A TDREPORT in its place is only good beside the TD quote made from
 * it, which a folder, a bundle or CoCo's evidence brings.
 * @returns the set, or the codes of `decodeHclReport` · ENV_TDREPORT_NOT_QUOTE
 */
export function readAzureHcl(bytes: Uint8Array): Outcome<EvidenceSet> {
  return attempt(() => {
    const report = take(decodeHclReport(bytes, 'hcl'))
    if (report.hardware === 'tdx')
      refuse('ENV_TDREPORT_NOT_QUOTE', 'hcl.hardwareReport', { expected: 'the TD quote beside it', actual: 'none' })
    return {
      carrier: 'azure/hcl',
      binding: 'raw',
      items: [
        {
          id: 'cpu',
          kind: 'amd/snp-report',
          bytes: report.hardwareReport,
          endorsements: [],
          runtimeData: runtimeDataOf(report),
        },
      ],
    }
  })
}
