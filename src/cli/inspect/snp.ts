import { decodeSnpReport, SNP_REPORT_LAYOUTS } from '../../attestation/sev-snp/index.ts'
import { layoutFields } from './layout-view.ts'
import type { ProblemView, SectionView } from './model.ts'
import { problemOf } from './problems.ts'
import { SNP_MEANINGS, type SnpField } from './snp-meanings.ts'

/** What a report looks like, whether or not the decoder accepts it. */
export interface ReportView {
  readonly sections: readonly SectionView[]
  readonly problems: readonly ProblemView[]
}

const isVersion = (version: number): version is keyof typeof SNP_REPORT_LAYOUTS =>
  Object.hasOwn(SNP_REPORT_LAYOUTS, version)

/** Every field of an SEV-SNP report by the table of its version; with meanings where the decoder accepts it. */
export function inspectSnp(bytes: Uint8Array): ReportView {
  const outcome = decodeSnpReport(bytes, 'report')
  const problems = outcome.ok ? [] : outcome.faults.map(problemOf)
  const version = bytes[0] ?? 0
  const layout = isVersion(version) ? SNP_REPORT_LAYOUTS[version] : undefined
  if (layout === undefined || layout.sizeBytes !== bytes.length) return { sections: [], problems }
  const report = outcome.ok ? outcome.value.value : undefined
  const fields = layoutFields(
    layout,
    bytes,
    0,
    report === undefined ? undefined : (name) => SNP_MEANINGS[name as SnpField](report),
  )
  return { sections: [{ title: `ATTESTATION_REPORT, version ${version} (AMD 56860)`, fields }], problems }
}
