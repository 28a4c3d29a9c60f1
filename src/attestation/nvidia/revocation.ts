import type { Code } from '../../core/codes.ts'
import type { Context } from '../../core/context.ts'
import { type Fault, failed, fault, type Outcome, ok, verdictOf } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import { nameText } from '../../core/x509/names.ts'
import {
  authenticateOcsp,
  CERTIFICATE_HOLD,
  findOcspSingle,
  type OcspResponse,
  type OcspSingle,
  type OcspSubject,
  ocspStaleness,
} from '../../core/x509/ocsp.ts'
import { anchorKey, type ValidatedPath } from '../../core/x509/path.ts'
import { type Brought, payerOf } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'

/** How long an answer holds whose responder names no end; as NVIDIA's own verifiers have it. */
const DEFAULT_VALIDITY_SECONDS = 3600

/** Nobody of ours asked for an answer that the caller supplies; currency is judged by its dates. */
const STAPLED = { notAsked: 'the answer was supplied, not asked for by this verifier' } as const

/** What differs between the chains that are looked up. */
export interface RevocationRules {
  readonly chain: RevocationReport['chain']
  /** positions in the path that must have an answer */
  readonly positions: readonly number[]
  readonly codes: { readonly revoked: Code; readonly missing: Code; readonly stale: Code }
}

/**
 * The identity, provisioner and architecture certificates. NVIDIA's responder does not serve the attestation key: its status
 * is that of the identity key above it.
 */
export const DEVICE_REVOCATION: RevocationRules = {
  chain: 'nvidia-device',
  positions: [1, 2, 3],
  codes: { revoked: 'GPU_CERT_REVOKED', missing: 'GPU_OCSP_UNAVAILABLE', stale: 'GPU_OCSP_UNAVAILABLE' },
}

/** Every certificate of a manifest's chain but the root. */
export const rimRevocation = (path: ValidatedPath): RevocationRules => ({
  chain: 'nvidia-rim',
  positions: path.certificates.map((_, i) => i),
  codes: { revoked: 'RIM_SIGNER_UNTRUSTED', missing: 'OCSP_MISSING', stale: 'OCSP_STALE' },
})

export interface RevocationResult {
  readonly report: RevocationReport
  readonly used: readonly CollateralUse[]
}

/**
 * Looks for OCSP answers about a validated path among those supplied. A revoked certificate, on hold or for good, and an
 * answer with a forged signature where no other counts are refusals. Everything else is told in the report: `good` where the
 * newest current answer about each certificate is good, `notGiven` where no answer is about this chain, `unknown` otherwise.
 * @returns the report, or the code for revocation of `rules` · OCSP_SIGNATURE_INVALID
 * @see RFC 6960; ../shared/spec/nvidia-gpu.md §6
 */
export async function checkRevocation(
  context: Context,
  path: ValidatedPath,
  responses: readonly Brought<OcspResponse>[],
  rules: RevocationRules,
  at: string,
): Promise<Outcome<RevocationResult>> {
  if (responses.length === 0) {
    return ok({ report: { chain: rules.chain, status: 'notGiven', stapled: false, faults: [] }, used: [] })
  }
  const answers = await Promise.all(
    rules.positions.map((position) => answerFor(context, path, position, responses, rules, `${at}[${position}]`)),
  )
  const refused = answers.flatMap((a) => a.faults).find((f) => verdictOf(f) === 'reject')
  if (refused !== undefined) return failed([refused])
  const given = answers.some((a) => a.given)
  const faults = given ? answers.flatMap((a) => a.faults) : []
  const status = !given ? 'notGiven' : faults.length === 0 ? 'good' : 'unknown'
  return ok({
    report: { chain: rules.chain, status, stapled: status === 'good' && answers.some((a) => a.stapled), faults },
    used: answers.flatMap((a) => a.used ?? []),
  })
}

interface Answer {
  /** whether any answer is about this certificate */
  readonly given: boolean
  readonly faults: readonly Fault[]
  readonly used?: CollateralUse
  /** no current good answer is the verifier's own */
  readonly stapled: boolean
}

/** An authentic answer that speaks for the time of judgement: good, or unknown. */
interface Current {
  readonly held: Brought<OcspResponse>
  readonly single: OcspSingle
  readonly problem: readonly Fault[]
}

async function answerFor(
  context: Context,
  path: ValidatedPath,
  position: number,
  responses: readonly Brought<OcspResponse>[],
  rules: RevocationRules,
  at: string,
): Promise<Answer> {
  const subject = subjectAt(path, position)
  const name = nameAt(path, position)
  const about: { readonly held: Brought<OcspResponse>; readonly single: OcspSingle }[] = []
  for (const held of responses) {
    const single = await findOcspSingle(context, held.value, subject)
    if (single !== undefined) about.push({ held, single })
  }
  if (about.length === 0) {
    return { given: false, stapled: false, faults: [fault(rules.codes.missing, at, { actual: name })] }
  }
  // In an order of their own, so that the names of files decide nothing.
  about.sort((a, b) => (a.held.sha256 < b.held.sha256 ? -1 : 1))
  const faults: Fault[] = []
  const current: Current[] = []
  for (const { held, single } of about) {
    const proved = await authenticateOcsp(context, payerOf(held), held.value, subject, STAPLED, at)
    const problem = proved.ok ? judge(context, single, rules, at, name) : proved.faults
    const speaks = proved.ok && ocspStaleness(context, single, DEFAULT_VALIDITY_SECONDS) === undefined
    if (speaks && single.status.kind !== 'revoked') current.push({ held, single, problem })
    faults.push(...problem)
  }
  // One authentic revocation outweighs every other answer; among the rest the newest current one counts.
  const revoked = faults.filter((f) => f.code === rules.codes.revoked)
  if (revoked.length > 0) return { given: true, stapled: false, faults: revoked }
  const [newest] = current.sort(
    (a, b) => b.single.thisUpdate - a.single.thisUpdate || b.problem.length - a.problem.length,
  )
  if (newest === undefined) return { given: true, stapled: false, faults }
  const { held, single, problem } = newest
  if (problem.length > 0) return { given: true, stapled: false, faults: problem }
  const stapled = !current.some((c) => c.problem.length === 0 && c.held.origin === 'verifier')
  const used = {
    kind: 'ocsp-response',
    digest: held.sha256,
    issuedAt: single.thisUpdate,
    validUntil: endOf(single),
  } as const
  return { given: true, stapled, faults: [], used }
}

const endOf = (single: OcspSingle): number => single.nextUpdate ?? single.thisUpdate + DEFAULT_VALIDITY_SECONDS

/** Empty where the answer is good and current. */
function judge(
  context: Context,
  single: OcspSingle,
  rules: RevocationRules,
  at: string,
  name: string,
): readonly Fault[] {
  const stale = ocspStaleness(context, single, DEFAULT_VALIDITY_SECONDS)
  const { status } = single
  if (status.kind === 'revoked') {
    const onHold = status.reason === CERTIFICATE_HOLD
    // A hold may be lifted, so an old one says nothing; a revocation stays.
    if (stale === undefined || (!onHold && single.thisUpdate <= context.now)) {
      const actual = `${name}: ${onHold ? 'on hold' : 'revoked'} since ${toRfc3339(status.at)}`
      return [fault(rules.codes.revoked, at, { expected: 'good', actual })]
    }
  }
  if (stale !== undefined) return [fault(rules.codes.stale, at, stale)]
  if (status.kind === 'unknown') return [fault('OCSP_INVALID', at, { expected: 'good', actual: `${name}: unknown` })]
  return []
}

function subjectAt(path: ValidatedPath, position: number): OcspSubject {
  const certificate = path.certificates[position] ?? path.certificates[0]
  const issuer = path.certificates[position + 1]
  return issuer === undefined
    ? { serial: certificate.serial, issuerName: path.anchor.subject, issuerKey: anchorKey(path.anchor) }
    : { serial: certificate.serial, issuerName: issuer.subject.der, issuerKey: issuer.publicKey }
}

const nameAt = (path: ValidatedPath, position: number): string =>
  nameText((path.certificates[position] ?? path.certificates[0]).subject)
