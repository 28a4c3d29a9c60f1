import type { Finding } from '../../core/outcome.ts'
import type { EvidenceRemedy } from '../../release/index.ts'

/** Names of errors that clients of the KBS protocol know. */
export type KbsErrorName =
  | 'AttestationError'
  | 'InvalidRequestPath'
  | 'PluginNotFound'
  | 'PolicyDeny'
  | 'SerdeError'
  | 'StorageBackendInitialization'
  | 'TokenNotFound'
  | 'TokenVerifierError'

/** What a client reads of every answer that is not 200; members it does not know it passes over. */
export interface ErrorInformation {
  readonly type: string
  readonly detail: string
  readonly findings: readonly Told[]
}

/** A finding without the values that were expected or found: those would tell a prober what a private policy looks for. */
type Told = Pick<Finding, 'code' | 'verdict' | 'item' | 'hint'>

const BASE = 'https://github.com/confidential-containers/kbs/errors'

/** @see ../shared/spec/protocols.md §1.4 */
export function errorInformation(
  name: KbsErrorName,
  summary: string,
  findings: readonly (Finding | EvidenceRemedy)[] = [],
): ErrorInformation {
  const told = findings.map(({ code, verdict, item, hint }) => ({ code, verdict, item, hint }))
  const reasons = told.map(({ code, item, hint }) => `${code} (${item}): ${hint}`)
  return { type: `${BASE}/${name}`, detail: [summary, ...reasons].join(' '), findings: told }
}
