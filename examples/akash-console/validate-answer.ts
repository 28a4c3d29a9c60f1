import { CODES, type Decision, type Finding, type ItemDecision } from '../../src/index.ts'
import type { ValidateRequest } from './validate-request.ts'

export type Status = 'valid' | 'invalid' | 'unverifiable'

/** Granular results; one that was not come to is left out. */
export interface Checks {
  readonly certChainValid?: boolean
  readonly signatureValid?: boolean
  readonly nonceMatch?: boolean
  readonly notRevoked?: boolean
}

interface Said {
  readonly status: Status
  readonly detail: string
  readonly checks?: Checks
}

export type Report =
  | (Said & { readonly kind: 'cpu'; readonly vendor: 'amd-sev-snp' | 'intel-tdx' })
  | (Said & { readonly kind: 'gpu'; readonly device_index: number; readonly vendor: 'nvidia' })

/** Answer of the route, in the shape that Console's clients know. */
export interface ValidateAnswer {
  readonly overall: Status
  /** as it was sent */
  readonly nonce: string
  readonly reports: readonly Report[]
}

/**
 * A decision in the words of the incumbent's answer. What concerns the evidence as a whole is said at the CPU, which has to
 * vouch for all of it; so `overall` is never better than the decision. A GPU answers what stands in the CPU's report: where
 * that is no answer to the nonce, the GPU's is none either.
 */
export function answerOf(request: ValidateRequest, decision: Decision): ValidateAnswer {
  const items = new Map(decision.items.map((item) => [item.id, item]))
  const reportOf = (id: string, more: readonly Finding[]): Said => {
    const item = items.get(id)
    const isRevocationOpen = decision.notChecked.some(({ what }) => what.startsWith(`${id}: revocation`))
    return said(item, distinct([...(item?.findings ?? []), ...more]), isRevocationOpen)
  }
  const whole = decision.findings.filter((f) => !items.has(f.item))
  const unbound = decision.findings.filter((f) => f.code.startsWith('BIND_'))
  const vendor = request.tee_platform.startsWith('tdx') ? 'intel-tdx' : 'amd-sev-snp'
  const cpu: Report = { kind: 'cpu', vendor, ...withAnchors(reportOf('cpu', whole), decision) }
  const gpus = request.gpu_reports.map(
    ({ device_index }): Report => ({
      ...{ kind: 'gpu', device_index, vendor: 'nvidia' },
      ...reportOf(`gpu-${device_index}`, items.has(`gpu-${device_index}`) ? unbound : []),
    }),
  )
  const reports = [cpu, ...gpus]
  return { overall: overallOf(reports.map((r) => r.status)), nonce: request.nonce, reports }
}

/** The first finding of each code. */
const distinct = (findings: readonly Finding[]): readonly Finding[] =>
  [...new Map([...findings].reverse().map((f) => [f.code, f] as const)).values()].reverse()

function overallOf(statuses: readonly Status[]): Status {
  if (statuses.includes('invalid')) return 'invalid'
  return statuses.every((status) => status === 'valid') ? 'valid' : 'unverifiable'
}

function said(item: ItemDecision | undefined, findings: readonly Finding[], isRevocationOpen: boolean): Said {
  if (findings.length > 0) {
    const isRefused = findings.some((f) => f.verdict === 'reject')
    const checks = checksOf(item, findings)
    const detail = findings.map(({ code, hint }) => `${code}: ${CODES[code].title} ${hint}`).join(' ')
    return { status: isRefused ? 'invalid' : 'unverifiable', detail, ...(checks && { checks }) }
  }
  if (item?.verdict !== 'accept')
    return { status: 'unverifiable', detail: 'Not judged: the evidence could not be read as a whole.' }
  const proved = { certChainValid: true, signatureValid: true, nonceMatch: true }
  return {
    status: 'valid',
    detail: 'Genuine, current, and an answer to this nonce.',
    checks: isRevocationOpen ? proved : { ...proved, notRevoked: true },
  }
}

/** Evidence of test hierarchies is never valid, whoever trusts them. */
function withAnchors(cpu: Said, { injectedAnchors }: Decision): Said {
  if (injectedAnchors.length === 0) return cpu
  const { title, hint } = CODES.GATE_ANCHORS_INJECTED
  return { ...cpu, status: 'invalid', detail: `GATE_ANCHORS_INJECTED: ${title} ${hint}` }
}

/** Claims are there only behind a proved chain and signature; before that, the code says how far it came. */
function checksOf(item: ItemDecision | undefined, findings: readonly Finding[]): Checks | undefined {
  const has = (pattern: RegExp): boolean => findings.some((f) => pattern.test(f.code))
  const revoked = has(/^(X509_REVOKED|GPU_CERT_REVOKED)$/) ? { notRevoked: false } : {}
  if (item?.claims !== undefined)
    return { certChainValid: true, signatureValid: true, nonceMatch: !has(/^(BIND_|GPU_NONCE_)/), ...revoked }
  if (has(/^(SNP|TDX|TDX_QE|GPU)_SIGNATURE_INVALID$/)) return { certChainValid: true, signatureValid: false }
  if (has(/^X509_(ROOT_UNTRUSTED|SIGNATURE_INVALID|NAME_CHAIN)$/)) return { certChainValid: false }
  return has(/REVOKED$/) ? revoked : undefined
}
