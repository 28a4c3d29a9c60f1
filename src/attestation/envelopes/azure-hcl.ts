import { isZero, latin1 } from '../../core/bytes.ts'
import { Cursor } from '../../core/cursor.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { EvidenceSet } from '../evidence.ts'

const REPORT_OFFSET = 0x20
const REPORT_BYTES = 1184
const RUNTIME_OFFSET = 0x4c0
const REQUEST_TYPE_ATTESTATION = 2
const RUNTIME_TYPE_SNP = 2

/** An Azure host compatibility layer report, by its magic. */
export const isAzureHcl = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, 4)) === 'HCLA'

/**
 * Takes the SNP report out of an Azure HCL report: a 32-byte header, the report at 0x20, runtime data at 0x4C0. The runtime
 * data (the vTPM's key, whose hash is in REPORT_DATA) belongs to the azure-cvm kind and is not judged here.
 * @returns the set, or ENV_UNREADABLE (shape) · ENV_KIND_NOT_SUPPORTED (a TDX report inside)
 * @see ../shared/spec/sev-snp.md §7g
 */
export function readAzureHcl(bytes: Uint8Array): Outcome<EvidenceSet> {
  return attempt(() => {
    const malformed = (what: string): never => refuse('ENV_UNREADABLE', 'hcl', { actual: what })
    const header = new Cursor(bytes, 'hcl', 'ENV_UNREADABLE')
    header.take(4, 'magic')
    const version = header.u32('version')
    if (version !== 1 && version !== 2) malformed(`version ${version}`)
    header.take(4, 'reportSize')
    const requestType = header.u32('requestType')
    if (requestType !== REQUEST_TYPE_ATTESTATION) malformed(`request type ${requestType}`)
    header.take(REPORT_OFFSET - 16, 'header')
    const report = header.take(REPORT_BYTES, 'report')
    header.take(RUNTIME_OFFSET - REPORT_OFFSET - REPORT_BYTES, 'gap')
    header.take(8, 'runtime.sizes')
    const reportType = header.u32('runtime.reportType')
    if (reportType !== RUNTIME_TYPE_SNP)
      refuse('ENV_KIND_NOT_SUPPORTED', 'hcl.runtime.reportType', { actual: reportType })
    header.u32('runtime.hashType')
    header.take(header.u32('runtime.jsonLength'), 'runtime.json')
    if (!isZero(header.take(header.remaining, 'padding'))) malformed('bytes after the runtime data')
    return {
      carrier: 'azure/hcl',
      binding: 'raw',
      items: [{ id: 'cpu', kind: 'amd/snp-report', bytes: report, endorsements: [] }],
    }
  })
}
