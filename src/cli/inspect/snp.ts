import { decodeSnpReport, SNP_REPORT_LAYOUTS, type SnpReport } from '../../attestation/sev-snp/index.ts'
import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import type { Field } from '../../core/layout.ts'
import type { FieldView, ProblemView, SectionView } from './model.ts'
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
  const fields = layout.ordered.map(([name, field]) => fieldView(name, field, bytes, report))
  return { sections: [{ title: `ATTESTATION_REPORT, version ${version} (AMD 56860)`, fields }], problems }
}

function fieldView(
  name: string,
  { offset, sizeBytes, kind }: Field<unknown>,
  bytes: Uint8Array,
  report: SnpReport | undefined,
): FieldView {
  const raw = bytes.subarray(offset, offset + sizeBytes)
  const base = { name, offset, sizeBytes, hex: toHex(raw), parts: [] }
  if (kind === 'zero') return { ...base, name: 'reserved', meaning: isZero(raw) ? 'zero' : 'must be zero' }
  if (report === undefined) return { ...base, meaning: '' }
  const { text, parts } = SNP_MEANINGS[name as SnpField](report)
  return { ...base, meaning: text, parts: parts ?? [] }
}
